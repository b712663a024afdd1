/**
 * Results (docs/formats/result.md) and canonical items (docs/formats/item.md) as JavaScript values.
 *
 * A decoder reads the shared result buffer and copies everything out of it. Attribute names repeat from item to item, so the
 * strings of short ones are kept in a small table and not made again.
 */
import { malformedResult } from "./errors";
import { decodeNumber, type NumberValue } from "./number";
import type { AttributeValue, Item, KeyAttribute, KeyType, NumberMode } from "./types";

const NAME_SLOTS = 1024;
const NAME_BYTES_MAX = 32;
/** Up to here a loop beats the call into the runtime. */
const SHORT_TEXT = 8;

const names: (string | undefined)[] = new Array(NAME_SLOTS).fill(undefined);

/** A plain Uint8Array of its own; slice() of a Buffer would be a Buffer. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

export class Reader {
  bytes: Buffer;
  at = 0;
  mode: NumberMode;

  constructor(bytes: Buffer, mode: NumberMode) {
    this.bytes = bytes;
    this.mode = mode;
  }

  u32(): number {
    const value = this.bytes.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }

  u64(): bigint {
    const value = this.bytes.readBigUInt64LE(this.at);
    this.at += 8;
    return value;
  }

  varint(): number {
    let value = this.bytes[this.at++];
    if (value < 128) return value;
    value &= 127;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw malformedResult();
  }

  private take(size: number): number {
    const start = this.at;
    if (!(start + size <= this.bytes.length)) throw malformedResult();
    this.at = start + size;
    return start;
  }

  text(size: number): string {
    const start = this.take(size);
    if (size <= SHORT_TEXT) {
      const { bytes, at: end } = this;
      let all = 0;
      for (let i = start; i < end; i++) all |= bytes[i];
      if (all < 128) {
        let text = "";
        let i = start;
        for (; i + 4 <= end; i += 4) text += String.fromCharCode(bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]);
        for (; i < end; i++) text += String.fromCharCode(bytes[i]);
        return text;
      }
    }
    return this.bytes.utf8Slice(start, this.at);
  }

  private name(): string {
    const size = this.varint();
    if (size > NAME_BYTES_MAX || size === 0) return this.text(size);
    const start = this.take(size);
    const bytes = this.bytes;
    let hash = size;
    for (let i = start; i < this.at; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
    const slot = (hash ^ (hash >>> 10)) & (NAME_SLOTS - 1);
    const known = names[slot];
    if (known !== undefined && known.length === size) {
      let i = 0;
      while (i < size && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === size) return known;
    }
    const text = bytes.utf8Slice(start, this.at);
    // Kept only where each character is one byte, so that comparing needs no decoding.
    if (text.length === size) names[slot] = text;
    return text;
  }

  private binary(): Uint8Array {
    const size = this.varint();
    const start = this.take(size);
    return copyBytes(this.bytes, start, this.at);
  }

  private number(): number | bigint | NumberValue {
    const size = this.varint();
    return decodeNumber(this.bytes, this.take(size), size, this.mode);
  }

  value(): AttributeValue {
    switch (this.bytes[this.at++]) {
      case 1:
        return this.text(this.varint());
      case 2:
        return this.number();
      case 3:
        return this.binary();
      case 4:
        return false;
      case 5:
        return true;
      case 6:
        return null;
      case 7:
        return this.set(() => this.text(this.varint())) as Set<string>;
      case 8:
        return this.set(() => this.number()) as Set<number>;
      case 9:
        return this.set(() => this.binary()) as Set<Uint8Array>;
      case 10: {
        const count = this.head();
        const list: AttributeValue[] = [];
        for (let i = 0; i < count; i++) list.push(this.value());
        return list;
      }
      case 11:
        return this.entries(this.head());
      default:
        throw malformedResult();
    }
  }

  private head(): number {
    this.at += 4;
    return this.u32();
  }

  private set(member: () => unknown): Set<unknown> {
    const count = this.head();
    const set = new Set<unknown>();
    for (let i = 0; i < count; i++) set.add(member());
    return set;
  }

  private entries(count: number): Item {
    const item: Item = {};
    for (let i = 0; i < count; i++) {
      const name = this.name();
      const value = this.value();
      if (name === "__proto__") {
        Object.defineProperty(item, name, { value, enumerable: true, configurable: true, writable: true });
      } else {
        item[name] = value;
      }
    }
    return item;
  }

  /** A canonical item frame of size bytes. */
  item(size: number): Item {
    const start = this.take(size);
    this.at = start;
    if (this.bytes[start] !== 1) throw malformedResult();
    this.at += 2;
    const count = this.u32();
    this.at += 4 * count;
    const item = this.entries(count);
    if (this.at !== start + size) throw malformedResult();
    return item;
  }

  /** u32 count, then frames with their sizes; undefined where one has none. */
  items(): (Item | undefined)[] {
    const count = this.u32();
    const items: (Item | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      const size = this.u32();
      items.push(size === 0 ? undefined : this.item(size));
    }
    return items;
  }
}

export interface Result {
  item?: Item;
  items?: (Item | undefined)[];
  lastKey?: Uint8Array;
  sequence?: bigint;
  table?: TableResult;
  names?: string[];
  oldItem?: Item;
  newItem?: Item;
  /** docs/formats/catalog.md */
  definition?: Buffer;
}

export interface TableResult {
  id: number;
  createdUs: bigint;
  keys: KeyAttribute[];
  name: string;
}

const KEY_TYPES: readonly (KeyType | undefined)[] = [undefined, "S", "N", "B"];

function readTable(reader: Reader): TableResult {
  const id = reader.u32();
  const createdUs = reader.u64();
  const count = reader.bytes[reader.at] + reader.bytes[reader.at + 1];
  reader.at += 2;
  const keys: KeyAttribute[] = [];
  for (let i = 0; i < count; i++) {
    const type = KEY_TYPES[reader.bytes[reader.at++]];
    if (type === undefined) throw malformedResult();
    keys.push({ name: reader.text(reader.varint()), type });
  }
  return { id, createdUs, keys, name: reader.text(reader.varint()) };
}

function readNames(reader: Reader): string[] {
  const count = reader.u32();
  const list: string[] = [];
  for (let i = 0; i < count; i++) list.push(reader.text(reader.varint()));
  return list;
}

function readField(reader: Reader, field: number, size: number, result: Result): void {
  switch (field) {
    case 1:
      result.item = reader.item(size);
      break;
    case 2:
      result.items = reader.items();
      break;
    case 3:
      result.lastKey = copyBytes(reader.bytes, reader.at, reader.at + size);
      break;
    case 4:
      result.sequence = reader.u64();
      break;
    case 5:
      result.table = readTable(reader);
      break;
    case 6:
      result.names = readNames(reader);
      break;
    case 7:
      result.oldItem = reader.item(size);
      break;
    case 9:
      result.newItem = reader.item(size);
      break;
    case 13:
      result.definition = Buffer.from(copyBytes(reader.bytes, reader.at, reader.at + size));
      break;
  }
}

/** Reads a whole result frame; fields that are not known are skipped. */
export function decodeResult(bytes: Buffer, size: number, mode: NumberMode): Result {
  const reader = new Reader(bytes, mode);
  const result: Result = {};
  try {
    if (bytes[0] !== 1 || size < 2 || size > bytes.length) throw malformedResult();
    reader.at = 2;
    while (reader.at < size) {
      const field = bytes[reader.at++];
      const length = reader.u32();
      const end = reader.at + length;
      if (end > size) throw malformedResult();
      readField(reader, field, length, result);
      reader.at = end;
    }
  } catch (error) {
    if (error instanceof RangeError) throw malformedResult();
    throw error;
  }
  return result;
}

export interface DetailReason {
  reason: number;
  message: string;
  item: Item | undefined;
}

export interface Detail {
  text?: string;
  item?: Item;
  reasons?: DetailReason[];
}

function readReasons(reader: Reader): DetailReason[] {
  const reasons: DetailReason[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const reason = reader.bytes[reader.at++];
    const message = reader.text(reader.u32());
    const size = reader.u32();
    reasons.push({ reason, message, item: size === 0 ? undefined : reader.item(size) });
  }
  return reasons;
}

/** What an error tells besides (docs/formats/error.md); what cannot be read is left out: the error itself stands. */
export function decodeDetail(bytes: Buffer, mode: NumberMode): Detail {
  const reader = new Reader(bytes, mode);
  const detail: Detail = {};
  if (bytes[0] !== 1) return detail;
  try {
    reader.at = 2;
    while (reader.at < bytes.length) {
      const field = bytes[reader.at++];
      const size = reader.u32();
      const end = reader.at + size;
      if (field === 1) detail.text = reader.text(size);
      else if (field === 2) detail.item = reader.item(size);
      else if (field === 3) detail.reasons = readReasons(reader);
      reader.at = end;
    }
  } catch {
    return detail;
  }
  return detail;
}
