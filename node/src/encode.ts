/**
 * Requests as bytes (docs/formats/request.md) and the values in them (docs/formats/item.md), in the relaxed form: the engine
 * checks and sorts. What JavaScript cannot say without loss is refused here, with the path of the attribute.
 *
 *   string S · number, bigint, NumberValue N · Uint8Array, ArrayBuffer B · boolean BOOL · null NULL
 *   Set SS, NS or BS by its members · array L · plain object, Map M
 *
 * A writer is reused call after call. Getters and proxies in an item may call into the package again, so writers come from a
 * small pool and are never shared by two encodings that are under way.
 */
import { invalid, StatorError } from "./errors";
import { isNumberText, NumberValue, numberText } from "./number";

const FIRST_BYTES = 4096;
const KEPT_BYTES = 1 << 20;
const POOL_WRITERS = 4;
/** Far above what the engine admits; it ends cycles. */
const DEPTH_MAX = 200;
const SHORT_TEXT = 40;

const TAG = { S: 1, B: 3, FALSE: 4, TRUE: 5, NULL: 6, SS: 7, BS: 9, L: 10, M: 11, N_TEXT: 0x12, NS_TEXT: 0x18 } as const;

export type AttributePath = (string | number)[];

function pathText(path: AttributePath): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : text === "" ? step : `.${step}`;
  return text;
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (value === null || typeof value !== "object") return String(value);
  let name: unknown;
  try {
    name = (value as object).constructor?.name;
  } catch {
    name = undefined;
  }
  return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object with a prototype of its own";
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // Objects of another realm: their Object.prototype is not ours.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** The text of our NumberValue, or of that of @aws-sdk/lib-dynamodb; undefined for anything else. */
function numberValueText(value: object): string | undefined {
  const text = (value as { value?: unknown }).value;
  if (typeof text !== "string" || isPlain(value)) return undefined;
  if (value instanceof NumberValue) return text;
  const like = value as { toAttributeValue?: unknown; constructor?: { name?: unknown } };
  const isNumberValue = typeof like.toAttributeValue === "function" || /^NumberValue/.test(String(like.constructor?.name));
  return isNumberValue && isNumberText(text) ? text : undefined;
}

function numberTextOf(value: unknown): string | undefined {
  if (typeof value === "number") return numberText(value);
  if (typeof value === "bigint") return value.toString();
  return typeof value === "object" && value !== null ? numberValueText(value) : undefined;
}

function isBinary(value: object): value is Uint8Array | ArrayBuffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer;
}

export class Writer {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  at = 0;
  removeUndefined = false;
  private flagsAt = 0;
  private readonly path: AttributePath = [];
  private depth = 0;

  reset(): this {
    this.at = 0;
    this.depth = 0;
    this.removeUndefined = false;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    return this;
  }

  /** Room for so many more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + size));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  private putU32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }

  u32(value: number): void {
    this.reserve(4);
    this.putU32(this.at, value);
    this.at += 4;
  }

  u64(value: number | bigint): void {
    this.reserve(8);
    this.bytes.writeBigUInt64LE(BigInt(value), this.at);
    this.at += 8;
  }

  varint(value: number): void {
    this.reserve(5);
    while (value > 127) {
      this.bytes[this.at++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.bytes[this.at++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** varint length, then UTF-8. */
  text(text: string): void {
    const length = text.length;
    if (length <= SHORT_TEXT) {
      this.reserve(length + 1);
      const bytes = this.bytes;
      const start = this.at + 1;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        bytes[start + i] = code;
      }
      if (i === length) {
        bytes[this.at] = length;
        this.at = start + length;
        return;
      }
    }
    if (!text.isWellFormed()) this.refuse("the text holds a lone surrogate, which UTF-8 cannot carry");
    if (length <= SHORT_TEXT) {
      // At most three bytes for a unit: the length takes one byte.
      this.reserve(1 + 3 * length);
      const size = this.bytes.utf8Write(text, this.at + 1, 3 * length);
      this.bytes[this.at] = size;
      this.at += 1 + size;
      return;
    }
    const size = Buffer.byteLength(text, "utf8");
    this.varint(size);
    this.reserve(size);
    this.bytes.utf8Write(text, this.at, size);
    this.at += size;
  }

  /** varint length, then ASCII. */
  private ascii(text: string): void {
    this.varint(text.length);
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }

  private binary(value: Uint8Array | ArrayBuffer): void {
    const bytes = value instanceof Uint8Array ? value : new Uint8Array(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** The head of a container or field whose size is not known yet; end() fills it in. */
  private begin(tag: number): number {
    this.reserve(9);
    this.bytes[this.at] = tag;
    this.at += 9;
    return this.at;
  }

  private end(start: number, count: number): void {
    this.putU32(start - 8, this.at - start);
    this.putU32(start - 4, count);
  }

  refuse(what: string): never {
    const where = pathText(this.path.slice(0, this.depth));
    throw invalid(where === "" ? what : `attribute ${where}: ${what}`);
  }

  value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.byte(TAG.S);
        this.text(value);
        return;
      case "number":
      case "bigint":
        this.number(value);
        return;
      case "boolean":
        this.byte(value ? TAG.TRUE : TAG.FALSE);
        return;
      case "object":
        if (value === null) this.byte(TAG.NULL);
        else this.object(value);
        return;
      case "undefined":
        return this.refuse("undefined cannot be stored (removeUndefined leaves such attributes out)");
      default:
        this.refuse(`${describe(value)} cannot be stored`);
    }
  }

  private number(value: number | bigint): void {
    this.byte(TAG.N_TEXT);
    if (typeof value === "number" && Number.isSafeInteger(value)) return this.integer(value);
    this.ascii(this.numberText(value)!);
  }

  /** varint length, then the digits: what ascii(String(value)) does, without making the string. */
  private integer(value: number): void {
    this.reserve(20);
    const length = this.at++;
    if (value < 0) {
      this.bytes[this.at++] = 0x2d;
      value = -value;
    }
    let low = value;
    let width = 1;
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      this.digits(high, 1);
      low = value - high * 1e9;
      width = 9;
    }
    this.digits(low, width);
    this.bytes[length] = this.at - length - 1;
  }

  /** The digits of an integer below 1e9, at least width of them. */
  private digits(value: number, width: number): void {
    let size = 1;
    for (let power = 10; power <= value; power *= 10) size++;
    if (size < width) size = width;
    let rest = value | 0;
    for (let i = this.at + size - 1; i >= this.at; i--) {
      const next = (rest / 10) | 0;
      this.bytes[i] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.at += size;
  }

  /** As numberTextOf, with the path in the refusal of NaN and its like. */
  private numberText(value: unknown): string | undefined {
    if (typeof value === "number" && !Number.isFinite(value)) this.refuse(`a number must be finite, not ${value}`);
    const text = numberTextOf(value);
    // 38 digits, exponent, sign and dozens of zeros fit; what is longer is refused before it is copied.
    if (text !== undefined && text.length > 1000) this.refuse("a number has at most 38 significant digits");
    return text;
  }

  private object(value: object): void {
    if (Array.isArray(value)) return this.list(value);
    if (isBinary(value)) {
      this.byte(TAG.B);
      return this.binary(value);
    }
    if (value instanceof Set) return this.set(value);
    if (value instanceof Map || isPlain(value)) return this.map(value);
    const text = numberValueText(value);
    if (text !== undefined) {
      this.byte(TAG.N_TEXT);
      return this.ascii(text);
    }
    if (value instanceof Date) this.refuse("a Date cannot be stored: store toISOString() or getTime()");
    if (ArrayBuffer.isView(value)) this.refuse(`${describe(value)} cannot be stored: make it a Uint8Array`);
    this.refuse(`${describe(value)} cannot be stored: make it a plain object`);
  }

  private enter(): void {
    if (++this.depth > DEPTH_MAX) {
      throw invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit");
    }
  }

  private list(list: readonly unknown[]): void {
    const start = this.begin(TAG.L);
    let count = 0;
    this.enter();
    for (let i = 0; i < list.length; i++) {
      this.path[this.depth - 1] = i;
      const value = list[i];
      if (value === undefined && this.removeUndefined) continue;
      this.value(value);
      count++;
    }
    this.depth--;
    this.end(start, count);
  }

  private entry(name: string, value: unknown): number {
    this.path[this.depth - 1] = name;
    if (value === undefined && this.removeUndefined) return 0;
    this.text(name);
    this.value(value);
    return 1;
  }

  map(map: object): void {
    const start = this.begin(TAG.M);
    let count = 0;
    this.enter();
    if (map instanceof Map) {
      for (const [name, value] of map) {
        if (typeof name !== "string") {
          this.depth--;
          this.refuse(`the names in a Map must be strings, not ${describe(name)}`);
        }
        count += this.entry(name, value);
      }
    } else {
      const names = Object.keys(map);
      for (let i = 0; i < names.length; i++) count += this.entry(names[i], (map as Record<string, unknown>)[names[i]]);
    }
    this.depth--;
    this.end(start, count);
  }

  private set(set: ReadonlySet<unknown>): void {
    if (set.size === 0) this.refuse("One or more parameter values were invalid: An empty set is not allowed");
    const [first] = set;
    const tag =
      typeof first === "string"
        ? TAG.SS
        : typeof first === "object" && first !== null && isBinary(first)
          ? TAG.BS
          : this.numberText(first) !== undefined
            ? TAG.NS_TEXT
            : this.refuse(`a Set holds strings, numbers or Uint8Arrays, not ${describe(first)}`);
    const start = this.begin(tag);
    let count = 0;
    for (const member of set) {
      if (tag === TAG.SS && typeof member === "string") {
        this.text(member);
      } else if (tag === TAG.BS && typeof member === "object" && member !== null && isBinary(member)) {
        this.binary(member);
      } else {
        const text = tag === TAG.NS_TEXT ? this.numberText(member) : undefined;
        if (text === undefined) this.refuse(`a Set has members of one type, and ${describe(member)} is of another than the first`);
        this.ascii(text);
      }
      count++;
    }
    this.end(start, count);
  }

  /* ---- fields of requests ---- */

  request(operation: number): void {
    this.reserve(2);
    this.bytes[this.at++] = 1;
    this.bytes[this.at++] = operation;
  }

  fieldBegin(number: number): number {
    this.reserve(5);
    this.bytes[this.at] = number;
    this.at += 5;
    return this.at;
  }

  fieldEnd(start: number): void {
    this.putU32(start - 4, this.at - start);
  }

  fieldByte(number: number, value: number): void {
    const start = this.fieldBegin(number);
    this.byte(value);
    this.fieldEnd(start);
  }

  fieldU32(number: number, value: number): void {
    const start = this.fieldBegin(number);
    this.u32(value);
    this.fieldEnd(start);
  }

  /** Field 7, where clearFlag() finds it again. */
  fieldFlags(flags: number): void {
    this.flagsAt = this.at + 5;
    this.fieldU32(7, flags);
  }

  clearFlag(flag: number): void {
    this.bytes[this.flagsAt] &= ~flag;
  }

  fieldU64(number: number, value: number | bigint): void {
    const start = this.fieldBegin(number);
    this.u64(value);
    this.fieldEnd(start);
  }

  fieldRaw(number: number, bytes: Uint8Array): void {
    const start = this.fieldBegin(number);
    this.raw(bytes);
    this.fieldEnd(start);
  }

  fieldText(number: number, text: string): void {
    if (!text.isWellFormed()) this.refuse("the text holds a lone surrogate, which UTF-8 cannot carry");
    this.fieldRaw(number, Buffer.from(text, "utf8"));
  }

  fieldItem(number: number, item: unknown): void {
    const start = this.fieldBegin(number);
    if (item === null || typeof item !== "object" || !(item instanceof Map || isPlain(item))) {
      this.refuse(`an item is a plain object or a Map, not ${describe(item)}`);
    }
    this.map(item);
    this.fieldEnd(start);
  }
}

const pool: Writer[] = [];

/** Runs with a writer of its own; what it wrote is valid until it returns. */
export function withWriter<T>(run: (writer: Writer) => T): T {
  const writer = (pool.pop() ?? new Writer()).reset();
  try {
    return run(writer);
  } catch (error) {
    if (error instanceof RangeError && !(error instanceof StatorError)) {
      throw invalid(`the request does not fit memory: ${error.message}`);
    }
    throw error;
  } finally {
    if (pool.length < POOL_WRITERS) pool.push(writer);
  }
}
