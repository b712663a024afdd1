import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import decodeNumbers from "../dist/number.js";
import { NumberValue, ValidationException } from "stator";
import { ordered } from "./reference.js";

const decoded = (text, mode = "auto") => {
  const bytes = Buffer.from([9, ...ordered(text), 9]);
  return decodeNumbers.decodeNumber(bytes, 1, bytes.length - 2, mode);
};

test("a number comes back as a number where that loses nothing", () => {
  for (const [text, value] of [
    ["0", 0], ["1", 1], ["-1", -1], ["1979", 1979], ["0.1", 0.1], ["-9.99", -9.99], ["1e22", 1e22], ["1e-130", 1e-130],
    ["9007199254740991", 9007199254740991], ["9007199254740992", 2 ** 53], ["0.30000000000000004", 0.1 + 0.2],
    ["123456789012345", 123456789012345], ["99999999999999", 99999999999999], ["1152921504606846976", 2 ** 60],
    ["1.7976931348623157", 1.7976931348623157], ["100", 100], ["0.001", 0.001], ["12345.678", 12345.678], ["1e100", 1e100],
  ]) {
    assert.equal(decoded(text), value, text);
    assert.equal(decoded(text, "number"), value, text);
  }
});

test("an integer beyond that is a bigint", () => {
  for (const text of ["9007199254740993", "-9007199254740993", "12345678901234567890", "1" + "0".repeat(37), "1152921504606847000"]) {
    assert.equal(decoded(text), BigInt(text));
  }
});

test("a fraction beyond that is a NumberValue with the exact text", () => {
  for (const [text, plain] of [
    ["0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"],
    ["1.2345678901234567890123456789012345678e-5", "0.000012345678901234567890123456789012345678"],
    ["-12345678901234567.5", "-12345678901234567.5"],
  ]) {
    const value = decoded(text);
    assert.ok(value instanceof NumberValue);
    assert.equal(value.value, plain);
    assert.equal(String(value), plain);
    assert.equal(`${value}`, plain);
    assert.equal(JSON.stringify({ value }), `{"value":"${plain}"}`);
    assert.equal(inspect(value), `NumberValue(${plain})`);
  }
});

test('numbers: "value" gives every number as a NumberValue', () => {
  for (const text of ["0", "1", "-1.5", "12345678901234567890"]) {
    assert.equal(decoded(text, "value").value, text);
  }
  assert.equal(decoded("1e3", "value").value, "1000");
});

test('numbers: "number" gives the nearest number', () => {
  assert.equal(decoded("9007199254740993", "number"), 9007199254740992);
  assert.equal(decoded("0.1000000000000000055511151231257827", "number"), 0.1);
});

test("arithmetic on a NumberValue throws", () => {
  const value = new NumberValue("1.5");
  assert.throws(() => value + 1, TypeError);
  assert.throws(() => 1 * value, TypeError);
  assert.throws(() => value < 2, TypeError);
  assert.throws(() => value.valueOf(), /use toNumber\(\), toBigInt\(\) or value/);
  assert.equal(value.toNumber(), 1.5);
});

test("a NumberValue is made from a number, a bigint or decimal text", () => {
  assert.equal(new NumberValue(0.1).value, "0.1");
  assert.equal(new NumberValue(12n).value, "12");
  assert.equal(new NumberValue("1E5").toBigInt(), 100000n);
  assert.equal(new NumberValue("-0").toBigInt(), 0n);
  assert.throws(() => new NumberValue("1.5").toBigInt(), RangeError);
  for (const bad of ["", "abc", "0x10", "1e", " 1", "NaN", "Infinity", NaN, Infinity, null, {}]) {
    assert.throws(() => new NumberValue(bad), ValidationException, String(bad));
  }
});

test("a malformed number in a result is an error", () => {
  for (const bytes of [[3], [3, 130], [3, 130, 11], [9, 1], [2, 2], []]) {
    assert.throws(() => decodeNumbers.decodeNumber(Buffer.from(bytes), 0, bytes.length, "auto"), { code: "INTERNAL" });
  }
});
