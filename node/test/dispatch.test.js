import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "stator";
import { database } from "./support.js";

const unknown = '{"__type":"com.amazon.coral.service#UnknownOperationException"}';
const malformed = '{"__type":"com.amazon.coral.service#SerializationException"}';
const hour = 3600 * 1000;

test("dispatch gives the service's status and body, of texts and of bytes", async (t) => {
  const db = await database(t);
  for (const [operation, body, answer] of [
    ["DynamoDB_20120810.Fly", "{}", unknown], ["Fly", "{}", unknown], ["", "{}", unknown], ["GetFlight", "{}", unknown],
    ["ListTables", '{"Limit": ', malformed], ["ListTables", "", malformed],
    ["Fly", JSON.stringify({ pad: "\u{1F600}".repeat(50_000) }), unknown],
  ]) {
    for (const each of [body, Buffer.from(body)]) {
      assert.deepEqual(await db.dispatch(operation, each), { status: 400, body: answer });
      assert.deepEqual(db.dispatchSync(operation, each, { region: "eu-west-2", account: "111122223333" }), { status: 400, body: answer });
    }
  }
});

test("many requests at once each get their own answer", async (t) => {
  const db = await database(t);
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => db.dispatch(i % 2 ? "Fly" : "GetFlight", i % 3 ? "{}" : "{")));
  answers.forEach(({ status, body }, i) => assert.deepEqual([status, body], [400, i % 3 ? unknown : malformed]));
});

test("what is wrong with the call itself is an error", async (t) => {
  const db = await database(t);
  const wrong = [
    ["Fly", "{}", { region: "r".repeat(32) }, /region/], ["Fly", "{}", { account: "1".repeat(16) }, /account/],
    [undefined, "{}", {}, /operation must be a string/], ["Fly", {}, {}, /body must be a string/], ["\ud800", "{}", {}, /lone/],
  ];
  for (const [operation, body, options, message] of wrong) {
    await assert.rejects(db.dispatch(operation, body, options), (error) =>
      error.name === "ValidationException" && message.test(error.message) && !("report" in error));
    assert.throws(() => db.dispatchSync(operation, body, options), { name: "ValidationException", message });
  }
  await assert.rejects(db.dispatch("Fly", "{}", { signal: AbortSignal.abort(new Error("late")) }), { message: "late" });
  const closed = await open(":memory:");
  await closed.close();
  await assert.rejects(closed.dispatch("Fly", "{}"), { name: "ClosedError" });
  assert.throws(() => closed.dispatchSync("Fly", "{}"), { name: "ClosedError" });
  await assert.rejects(closed.moveClock(0), { name: "ClosedError" });
});

test("an abandoned write says that it may have been applied, an abandoned read does not", async (t) => {
  const db = await database(t);
  for (const [operation, maybe] of [["PutItem", true], ["DynamoDB_20120810.GetItem", undefined], ["Query", undefined]]) {
    const control = new AbortController();
    const answer = db.dispatch(operation, "{}", { signal: control.signal });
    control.abort(new Error("stop"));
    await assert.rejects(answer, (error) => error.message === "stop" && error.maybeApplied === maybe);
  }
});

test("moveClock moves the times of creation", async (t) => {
  const db = await database(t);
  const first = await db.table("first", { partition: "id:S" });
  await db.moveClock(48 * hour);
  const second = await db.table("second", { partition: "id:S" });
  assert.ok(Math.abs(second.created - first.created - 48 * hour) < hour);
  db.moveClockSync(96 * hour);
  const third = await db.table("third", { partition: "id:S" });
  assert.ok(Math.abs(third.created - first.created - 96 * hour) < hour);
  for (const wrong of [NaN, Infinity, "1 day", 2 ** 53]) {
    await assert.rejects(db.moveClock(wrong), { name: "ValidationException" });
    assert.throws(() => db.moveClockSync(wrong), { name: "ValidationException" });
  }
});
