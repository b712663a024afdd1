/**
 * Numbers are exact decimals of up to 38 digits; JavaScript's are binary. The rule both ways:
 *
 * A JavaScript number is stored as what it is: an integer exactly (2 ** 60 is 1152921504606846976), anything else as the
 * shortest decimal that names it (0.1 is 0.1), which is what String() prints.
 *
 * A stored number comes back as a JavaScript number exactly when writing that number would store the same value again.
 * Otherwise it is a bigint if it is an integer, else a NumberValue, which keeps the text and refuses arithmetic.
 */
import { invalid, malformedResult } from "./errors";
import type { NumberMode } from "./types";

/** An exact decimal number that a JavaScript number cannot hold. Make one from text to write such a number. */
export class NumberValue {
  /** Decimal text. */
  readonly value: string;

  constructor(value: string | number | bigint) {
    if (typeof value === "number") {
      this.value = numberText(value);
    } else if (typeof value === "bigint") {
      this.value = value.toString();
    } else if (typeof value === "string" && isNumberText(value)) {
      this.value = value;
    } else {
      throw invalid(`The parameter cannot be converted to a numeric value: ${String(value)}`);
    }
    Object.freeze(this);
  }

  toString(): string {
    return this.value;
  }

  toJSON(): string {
    return this.value;
  }

  /** The nearest JavaScript number; digits may be lost. */
  toNumber(): number {
    return Number(this.value);
  }

  /** The integer; a RangeError if it is none. */
  toBigInt(): bigint {
    const { negative, digits, exponent } = decimalOf(this.value);
    const zeros = exponent - digits.length + 1;
    if (digits !== "" && (zeros < 0 || zeros > 1000)) throw new RangeError(`${this.value} is not an integer`);
    const integer = digits === "" ? 0n : BigInt(digits) * 10n ** BigInt(zeros);
    return negative ? -integer : integer;
  }

  /** Refuses: arithmetic on a NumberValue would lose digits without a word. */
  valueOf(): never {
    throw new TypeError(`${this.value} does not fit a JavaScript number: use toNumber(), toBigInt() or value`);
  }

  [Symbol.toPrimitive](hint: string): string {
    return hint === "string" ? this.value : this.valueOf();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `NumberValue(${this.value})`;
  }
}

const NUMBER_TEXT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** @internal */
export function isNumberText(text: string): boolean {
  return NUMBER_TEXT.test(text);
}

/** Sign, significant digits without zeros at either end ("" is zero), and scientific exponent. */
function decimalOf(text: string): { negative: boolean; digits: string; exponent: number } {
  const [, sign, whole = "", fraction = "", power = "0"] = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const all = whole + fraction;
  const leading = /^0*/.exec(all)![0].length;
  const digits = all.slice(leading).replace(/0+$/, "");
  return { negative: sign === "-", digits, exponent: whole.length - leading - 1 + Number(power) };
}

/** @internal The decimal text under which a JavaScript number is stored. */
export function numberText(value: number): string {
  if (value !== value || value === Infinity || value === -Infinity) {
    throw invalid(`a number must be finite, not ${value}`);
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && value < 1e38 && value > -1e38) {
    return BigInt(value).toString();
  }
  return String(value);
}

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Plain decimal text, as DynamoDB writes numbers: no exponent, no zeros that say nothing. */
function plainText(negative: boolean, digits: string, exponent: number): string {
  const sign = negative ? "-" : "";
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = exponent + 1;
  if (digits.length <= whole) return sign + digits + "0".repeat(whole - digits.length);
  return `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}`;
}

function exactValue(negative: boolean, digits: string, exponent: number): number | bigint | NumberValue {
  const number = Number(`${negative ? "-" : ""}${digits}e${exponent - digits.length + 1}`);
  const written = decimalOf(numberText(number));
  if (written.digits === digits && written.exponent === exponent) return number;
  const text = plainText(negative, digits, exponent);
  return exponent >= digits.length - 1 ? BigInt(text) : new NumberValue(text);
}

/** @internal Reads bytes [at, at + size) in the ordered form (docs/formats/key.md). */
export function decodeNumber(bytes: Uint8Array, at: number, size: number, mode: NumberMode): number | bigint | NumberValue {
  const kind = bytes[at];
  if (kind === 2 && size === 1) return mode === "value" ? new NumberValue("0") : 0;
  const flip = kind === 1 ? 0xff : 0;
  if ((kind !== 1 && kind !== 3) || size < 4 || bytes[at + size - 1] !== flip) throw malformedResult();
  const exponent = (bytes[at + 1] ^ flip) - 130;
  const pairs = size - 3;
  // Seven pairs and less fit a double exactly, and so does the power of ten: one correctly rounded division, or none.
  if (pairs <= 7 && mode !== "value") {
    let whole = 0;
    for (let i = at + 2; i < at + size - 1; i++) whole = whole * 100 + (bytes[i] ^ flip) - 1;
    const scale = exponent - 2 * pairs + 1;
    if (scale <= 0 && scale >= -22) {
      const value = whole / POWERS[-scale];
      return flip ? -value : value;
    }
    if (scale > 0 && exponent < 15) {
      const value = whole * POWERS[scale];
      return flip ? -value : value;
    }
  }
  let digits = "";
  for (let i = at + 2; i < at + size - 1; i++) {
    const pair = (bytes[i] ^ flip) - 1;
    digits += pair < 10 ? `0${pair}` : pair;
  }
  if (digits.endsWith("0")) digits = digits.slice(0, -1);
  const negative = flip !== 0;
  if (mode === "auto") return exactValue(negative, digits, exponent);
  const text = plainText(negative, digits, exponent);
  return mode === "value" ? new NumberValue(text) : Number(text);
}
