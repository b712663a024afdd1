// A second, plain reading of docs/formats/item.md to hold the codec against: relaxed values in, canonical frames out.

export function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

export const u32 = (value) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];

const lengthed = (bytes) => [...varint(bytes.length), ...bytes];

/** Decimal text in the ordered form. */
export function ordered(text) {
  const [, sign, whole, fraction = "", power = "0"] = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "").replace(/0+$/, "");
  if (digits === "") return [2];
  const exponent = whole.length - /^0*/.exec(all)[0].length - 1 + Number(power);
  const padded = digits.length % 2 ? `${digits}0` : digits;
  const rest = [exponent + 130, ...padded.match(/../g).map((pair) => Number(pair) + 1), 0];
  return sign === "-" ? [1, ...rest.map((byte) => byte ^ 255)] : [3, ...rest];
}

class Parser {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  u32() {
    const [a, b, c, d] = this.slice(4);
    return a + b * 256 + c * 65536 + d * 16777216;
  }
  varint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  slice(size) {
    if (this.at + size > this.bytes.length) throw new Error("cut short");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
  content() {
    return this.slice(this.varint());
  }
  text() {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.content());
  }
  members(read) {
    const body = this.u32();
    const count = this.u32();
    const end = this.at + body;
    const members = Array.from({ length: count }, read);
    if (this.at !== end) throw new Error(`the body has ${body} bytes, its members end at ${this.at - end}`);
    return members;
  }
  value() {
    const tag = this.slice(1)[0];
    switch (tag) {
      case 0x01: return { S: this.text() };
      case 0x12: return { N: this.text() };
      case 0x03: return { B: this.content() };
      case 0x04: return { BOOL: false };
      case 0x05: return { BOOL: true };
      case 0x06: return { NULL: true };
      case 0x07: return { SS: this.members(() => this.text()) };
      case 0x18: return { NS: this.members(() => this.text()) };
      case 0x09: return { BS: this.members(() => this.content()) };
      case 0x0a: return { L: this.members(() => this.value()) };
      case 0x0b: return { M: this.members(() => [this.text(), this.value()]) };
      default: throw new Error(`tag ${tag}`);
    }
  }
}

/** One relaxed value as { S: ... }, { N: text } and so on; maps are lists of [name, value]. */
export function parse(bytes) {
  const parser = new Parser(bytes);
  const value = parser.value();
  if (parser.at !== bytes.length) throw new Error("bytes behind the value");
  return value;
}

const utf8 = (text) => [...new TextEncoder().encode(text)];
const compare = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const sortedBytes = (list) => list.sort(compare);

function container(tag, members) {
  const body = members.flat();
  return [tag, ...u32(body.length), ...u32(members.length), ...body];
}

function entries(map) {
  return map
    .map(([name, value]) => [utf8(name), value])
    .sort(([a], [b]) => compare(a, b))
    .map(([name, value]) => [...lengthed(name), ...canonicalValue(value)]);
}

function canonicalValue(value) {
  const [[type, content]] = Object.entries(value);
  switch (type) {
    case "S": return [1, ...lengthed(utf8(content))];
    case "N": return [2, ...lengthed(ordered(content))];
    case "B": return [3, ...lengthed([...content])];
    case "BOOL": return [content ? 5 : 4];
    case "NULL": return [6];
    case "SS": return container(7, sortedBytes(content.map(utf8)).map(lengthed));
    case "NS": return container(8, sortedBytes(content.map(ordered)).map(lengthed));
    case "BS": return container(9, sortedBytes(content.map((bytes) => [...bytes])).map(lengthed));
    case "L": return container(10, content.map(canonicalValue));
    case "M": return container(11, entries(content));
    default: throw new Error(type);
  }
}

/** The canonical item frame of a parsed map. */
export function canonical({ M: map }) {
  const list = entries(map);
  let offset = 6 + 4 * list.length;
  const offsets = list.flatMap((entry) => {
    offset += entry.length;
    return u32(offset - entry.length);
  });
  return Buffer.from([1, 0, ...u32(list.length), ...offsets, ...list.flat()]);
}
