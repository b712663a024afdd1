import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import decode from "../dist/decode.js";
import encode from "../dist/encode.js";
import { NumberValue, ValidationException } from "stator";
import { canonical, ordered, parse, u32 } from "./reference.js";

const { Reader, decodeResult } = decode;
const { withWriter, Writer } = encode;

function encoded(value, options = {}) {
  return withWriter((writer) => {
    Object.assign(writer, options);
    writer.value(value);
    return Buffer.from(writer.bytes.subarray(0, writer.at));
  });
}

function decoded(frame, mode = "auto") {
  return new Reader(frame, mode).item(frame.length);
}

const roundTrip = (item, mode) => decoded(canonical(parse(encoded(item))), mode);
const refused = (value, message, options) =>
  assert.throws(() => encoded(value, options), (error) => {
    assert.ok(error instanceof ValidationException, String(error));
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.match(error.message, message);
    return true;
  });

test("the worked example of the format page encodes to its bytes", () => {
  const bytes = encoded({ year: 1979, title: "Alien" });
  assert.equal(bytes.toString("hex"), "0b18000000020000000479656172120431393739057469746c650105416c69656e");
});

test("the canonical worked example decodes", () => {
  const frame = Buffer.from("0100020000000e0000001b000000057469746c650105416c69656e0479656172020503851450" + "00", "hex");
  assert.deepEqual(decoded(frame), { title: "Alien", year: 1979 });
});

test("every kind of value has its type", () => {
  const bytes = new Uint8Array([0, 255]);
  const cases = [
    ["text", { S: "text" }], ["", { S: "" }], ["\u{1f600}\0é", { S: "\u{1f600}\0é" }],
    [1, { N: "1" }], [-0, { N: "0" }], [0.1, { N: "0.1" }], [10n ** 37n, { N: `1${"0".repeat(37)}` }],
    [2 ** 60, { N: "1152921504606846976" }], [1e-130, { N: "1e-130" }], [new NumberValue("1.50"), { N: "1.50" }],
    [true, { BOOL: true }], [false, { BOOL: false }], [null, { NULL: true }],
    [[], { L: [] }], [{}, { M: [] }], [[1, [null]], { L: [{ N: "1" }, { L: [{ NULL: true }] }] }],
    [new Map([["a", 1]]), { M: [["a", { N: "1" }]] }],
    [Object.assign(Object.create(null), { a: "b" }), { M: [["a", { S: "b" }]] }],
    [new Set(["a", "b"]), { SS: ["a", "b"] }], [new Set([1, 2n, new NumberValue("3.5")]), { NS: ["1", "2", "3.5"] }],
  ];
  for (const [value, tree] of cases) assert.deepEqual(parse(encoded(value)), tree);
  for (const binary of [bytes, Buffer.from(bytes), bytes.buffer]) {
    assert.deepEqual([...parse(encoded(binary)).B], [0, 255]);
  }
  assert.deepEqual(parse(encoded(new Set([bytes]))).BS.map((b) => [...b]), [[0, 255]]);
});

test("plain objects of another realm are maps", () => {
  assert.deepEqual(parse(encoded(vm.runInNewContext("({ a: 1 })"))), { M: [["a", { N: "1" }]] });
});

test("the NumberValue of lib-dynamodb is a number, and a plain object of that shape is a map", () => {
  const sdk = new (class NumberValue {
    value = "12345678901234567890.5";
    toAttributeValue() {
      return { N: this.value };
    }
  })();
  assert.deepEqual(parse(encoded(sdk)), { N: "12345678901234567890.5" });
  assert.deepEqual(parse(encoded(new Set([sdk]))), { NS: ["12345678901234567890.5"] });
  assert.deepEqual(parse(encoded({ value: "1" })), { M: [["value", { S: "1" }]] });
});

test("what cannot be stored is refused with the path of the attribute", () => {
  class Movie {}
  refused({ a: undefined }, /^attribute a: undefined cannot be stored/);
  refused({ a: [{ b: { c: [0, undefined] } }] }, /^attribute a\[0\]\.b\.c\[1\]: undefined/);
  refused({ a: NaN }, /^attribute a: a number must be finite, not NaN/);
  refused({ a: -Infinity }, /finite/);
  refused({ a: new Set([Infinity]) }, /^attribute a: a number must be finite/);
  refused({ a: new Set() }, /^attribute a: .*empty set/);
  refused({ a: new Set(["a", 1]) }, /one type/);
  refused({ a: new Set([1, "a"]) }, /one type/);
  refused({ a: new Set([true]) }, /a Set holds strings, numbers or Uint8Arrays, not true/);
  refused({ a: "\ud800" }, /^attribute a: .*lone surrogate/);
  refused({ "\udc00": 1 }, /lone surrogate/);
  refused({ a: new Set(["x\ud800"]) }, /lone surrogate/);
  refused({ a: `${"x".repeat(100)}\ud800` }, /lone surrogate/);
  refused({ a: new Date(0) }, /^attribute a: a Date cannot be stored: store toISOString\(\) or getTime\(\)/);
  refused({ a: new Movie() }, /an instance of Movie cannot be stored: make it a plain object/);
  refused({ a: /x/ }, /RegExp/);
  refused({ a: () => 1 }, /a function/);
  refused({ a: Symbol("x") }, /a symbol/);
  refused({ a: new Uint16Array(1) }, /Uint16Array cannot be stored: make it a Uint8Array/);
  refused({ a: new Map([[1, 2]]) }, /names in a Map must be strings/);
  refused({ a: new String("x") }, /String/);
  refused({ a: 10n ** 2000n }, /38 significant digits/);
});

test("removeUndefined leaves attributes and list members out", () => {
  const options = { removeUndefined: true };
  assert.deepEqual(parse(encoded({ a: undefined, b: [1, undefined], c: new Map([["d", undefined]]) }, options)), {
    M: [["b", { L: [{ N: "1" }] }], ["c", { M: [] }]],
  });
  refused({ a: new Set([undefined]) }, /a Set holds/, options);
});

test("a cycle ends in an error", () => {
  const loop = {};
  loop.loop = loop;
  refused(loop, /Nesting Levels have exceeded supported limits/);
});

test("a getter that encodes an item of its own does not disturb the outer one", () => {
  const inner = () => encoded({ deep: "x".repeat(10_000) });
  const item = {
    a: 1,
    get b() {
      inner();
      return "b";
    },
    c: 3,
  };
  assert.deepEqual(parse(encoded(item)), { M: [["a", { N: "1" }], ["b", { S: "b" }], ["c", { N: "3" }]] });
});

test("an item that fails leaves nothing behind in the next one", () => {
  refused({ a: { b: undefined } }, /attribute a\.b/);
  refused(NaN, /^a number must be finite/);
  assert.deepEqual(parse(encoded({ c: 1 })), { M: [["c", { N: "1" }]] });
});

test("texts of every length and width come through", () => {
  for (const unit of ["a", "é", "€", "\u{1f600}"]) {
    for (const length of [0, 1, 11, 12, 13, 31, 32, 33, 39, 40, 41, 63, 64, 127, 128, 129, 5000, 20_000]) {
      const text = unit.repeat(length);
      const item = { [`n${text.slice(0, 40)}`.toWellFormed()]: text, set: new Set([text, "other"]) };
      assert.deepEqual(roundTrip(item), item);
    }
  }
});

test("an attribute named __proto__ is an attribute", () => {
  const item = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}');
  const back = roundTrip(item);
  assert.deepEqual(Object.keys(back), ["__proto__", "a"]);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.equal(back.polluted, undefined);
});

test("binary values are copies", () => {
  const frame = canonical(parse(encoded({ a: new Uint8Array([1, 2, 3]) })));
  const { a } = decoded(frame);
  frame.fill(0);
  assert.deepEqual(a, new Uint8Array([1, 2, 3]));
  assert.equal(a.constructor, Uint8Array);
});

test("attribute names that share a slot of the name table stay apart", () => {
  const item = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`attribute${i}`, i]));
  assert.deepEqual(roundTrip(item), item);
  assert.deepEqual(roundTrip(item), item);
});

test("results with unknown fields are read, and cut or foreign ones refused", () => {
  const item = canonical(parse(encoded({ a: 1 })));
  const frame = Buffer.from([1, 6, 99, ...u32(3), 1, 2, 3, 1, ...u32(item.length), ...item, 4, ...u32(8), 5, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(decodeResult(frame, frame.length, "auto"), { item: { a: 1 }, sequence: 5n });
  for (let size = 0; size < frame.length; size++) {
    if (size === 2 || size === 10 || size === frame.length - 13) continue;
    assert.throws(() => decodeResult(frame.subarray(0, size), size, "auto"), { code: "INTERNAL" });
  }
  assert.throws(() => decodeResult(Buffer.from([2, 6]), 2, "auto"), { code: "INTERNAL" });
});

test("any bytes give a result or an error, and damage to a real one too", () => {
  const frame = canonical(parse(encoded({ a: [1, { b: new Set(["x", "y"]) }], n: new Set([1, 2.5]), t: "é".repeat(50) })));
  const real = [1, 6, 1, ...u32(frame.length), ...frame];
  const read = (bytes) => {
    try {
      decodeResult(Buffer.from(bytes), bytes.length, "auto");
    } catch (error) {
      assert.equal(error.code, "INTERNAL", error.stack);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => read([1, 6, ...bytes])), { numRuns: 3000 });
  for (let at = 0; at < real.length; at++) {
    for (const byte of [0, 1, 127, 128, 255, real[at] ^ 1]) read(real.with(at, byte));
  }
});

test("lists nested without end in a result are an error", () => {
  const depth = 200_000;
  const bytes = Buffer.alloc(depth * 9 + 40);
  let at = bytes.writeUInt8(1, 0);
  at = bytes.writeUInt8(6, at);
  at = bytes.writeUInt8(1, at);
  at = bytes.writeUInt32LE(bytes.length - 7, at);
  at += Buffer.from([1, 0, 1, 0, 0, 0, 10, 0, 0, 0, 1, 97]).copy(bytes, at);
  for (let i = 0; i < depth; i++) at += Buffer.from([10, 255, 255, 255, 0, 1, 0, 0, 0]).copy(bytes, at);
  assert.throws(() => decodeResult(bytes, bytes.length, "auto"), { code: "INTERNAL" });
});

test("a writer gives the memory of a giant back", () => {
  const writer = new Writer();
  writer.value("x".repeat(3_000_000));
  assert.ok(writer.bytes.length > 3_000_000);
  assert.ok(writer.reset().bytes.length < 100_000);
});

const text = fc.string({ unit: "grapheme", maxLength: 60 });
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
const double = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => value === 0 || (Math.abs(value) >= 1e-130 && Math.abs(value) < 9.99e125));
const whole = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
const number = fc.oneof(double, fc.integer(), fc.maxSafeInteger()).map((value) => value + 0);
const bytes = fc.uint8Array({ maxLength: 60 });
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text, number, bytes, fc.boolean(), fc.constant(null),
    fc.uniqueArray(text, { minLength: 1, maxLength: 5 }).map((list) => new Set(list)),
    fc.uniqueArray(number, { minLength: 1, maxLength: 5, comparator: (a, b) => a === b }).map((list) => new Set(list)),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(name, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const anyItem = fc.dictionary(name, anyValue, { maxKeys: 12, noNullPrototype: true });

test("any item comes back as it went in", () => {
  fc.assert(fc.property(anyItem, (item) => assert.deepEqual(roundTrip(item), item)), { numRuns: 500 });
});

test("any finite double in range comes back as the same number", () => {
  fc.assert(fc.property(double, (value) => assert.equal(roundTrip({ value }).value, value === 0 ? 0 : value)), { numRuns: 5000 });
});

test("any integer of 38 digits keeps its value, as a number only if that number stores the same", () => {
  fc.assert(
    fc.property(whole, (value) => {
      const back = roundTrip({ value }).value;
      if (typeof back === "number") assert.deepEqual(encoded(back), encoded(value));
      else assert.equal(back, value);
    }),
    { numRuns: 5000 },
  );
});

const decimal = fc
  .tuple(fc.boolean(), fc.stringMatching(/^[1-9][0-9]{0,37}$/), fc.integer({ min: -129, max: 87 }))
  .map(([negative, digits, power]) => `${negative ? "-" : ""}${digits}e${power}`);

test("any decimal of 38 digits keeps its value, exactly or as a number that stores the same", () => {
  fc.assert(
    fc.property(decimal, (value) => {
      const back = roundTrip({ value: new NumberValue(value) }).value;
      const type = back instanceof NumberValue ? "value" : typeof back;
      assert.ok(["number", "bigint", "value"].includes(type));
      assert.deepEqual(ordered(parse(encoded(back)).N), ordered(value));
      const exact = roundTrip({ value: new NumberValue(value) }, "value").value;
      assert.deepEqual(ordered(exact.value), ordered(value));
      assert.doesNotMatch(exact.value, /e|^-?0\d|\.\d*0$/);
      assert.equal(roundTrip({ value: new NumberValue(value) }, "number").value, Number(value));
    }),
    { numRuns: 3000 },
  );
});
