import assert from "node:assert/strict";
import { test } from "node:test";
import * as stator from "stator";
import { beginsWith, between, eq, ge, gt, le, lt } from "stator";
import { database, movies } from "./support.js";

async function years(t, count = 9, options = {}) {
  const { db, table } = await movies(t, { durability: "none", ...options });
  const batch = db.batch();
  for (let year = 1; year <= count; year++) batch.put(table, { title: "Alien", year });
  batch.put(table, { title: "other", year: 1 });
  await batch.write();
  return { db, table };
}

const yearsOf = (items) => items.map((item) => item.year);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("a query gives the items of one partition in order, forwards and backwards", async (t) => {
  const { table } = await years(t);
  const all = [];
  for await (const item of table.query("Alien")) all.push(item);
  assert.deepEqual(yearsOf(all), range(1, 9));
  assert.deepEqual(yearsOf([...table.query("Alien", { reverse: true }).iterateSync()]), range(1, 9).reverse());
  assert.deepEqual(await table.query("nobody").toArray(), []);
});

test("conditions on the sort key select what they say", async (t) => {
  const { table } = await years(t);
  for (const [sort, expected] of [
    [eq(3), [3]], [lt(3), [1, 2]], [le(3), [1, 2, 3]], [gt(7), [8, 9]], [ge(7), [7, 8, 9]],
    [between(4, 6), [4, 5, 6]], [eq(99), []], [between(7.5, 8n), [8]], [ge(new stator.NumberValue("8.5")), [9]],
  ]) {
    assert.deepEqual(yearsOf(await table.query("Alien", { sort }).toArray()), expected);
    assert.deepEqual(yearsOf(table.query("Alien", { sort, reverse: true }).toArraySync()), expected.slice().reverse());
  }
});

test("beginsWith works on strings and bytes", async (t) => {
  const db = await database(t);
  for (const [type, make] of [["S", (text) => text], ["B", (text) => new TextEncoder().encode(text)]]) {
    const table = await db.table(`files-${type}`, { partition: "disk:S", sort: `path:${type}` });
    for (const path of ["usr", "usr/bin", "usr/lib", "var"]) await table.put({ disk: "c", path: make(path) });
    const found = await table.query("c", { sort: beginsWith(make("usr/")) }).toArray();
    assert.deepEqual(found.map((item) => item.path), [make("usr/bin"), make("usr/lib")]);
  }
});

test("limit counts items over all pages, whatever the size of a page", async (t) => {
  const { table } = await years(t);
  for (const snapshot of [false, true]) {
    for (const pageSize of [1, 2, 3, 9, 100, undefined]) {
      for (const limit of [1, 2, 5, 9, 20, undefined]) {
        const options = { limit, pageSize, snapshot };
        const expected = range(1, Math.min(limit ?? 9, 9));
        assert.deepEqual(yearsOf(await table.query("Alien", options).toArray()), expected);
        assert.deepEqual(yearsOf(table.query("Alien", options).toArraySync()), expected);
        const all = [];
        for await (const item of table.query("Alien", options)) all.push(item.year);
        assert.deepEqual(all, expected);
      }
    }
  }
});

test("lastKey resumes exactly behind the last item, and is undefined at the end", async (t) => {
  const { table } = await years(t);
  for (const snapshot of [false, true]) {
    const seen = [];
    let startAfter;
    do {
      const items = table.query("Alien", { limit: 4, startAfter, snapshot });
      assert.equal(items.lastKey, startAfter);
      seen.push(...(await items.toArray()));
      startAfter = items.lastKey;
      if (startAfter !== undefined) assert.ok(startAfter instanceof Uint8Array);
    } while (startAfter !== undefined);
    assert.deepEqual(yearsOf(seen), range(1, 9));
  }
  const items = table.scan();
  assert.equal(items.toArraySync().length, 10);
  assert.equal(items.lastKey, undefined);
});

test("a lastKey of another table is refused", async (t) => {
  const { db, table } = await years(t);
  const other = await db.table("other", { partition: "title:S", sort: "year:N" });
  const first = table.query("Alien", { limit: 1 });
  await first.toArray();
  await assert.rejects(other.query("Alien", { startAfter: first.lastKey }).toArray(), stator.ValidationException);
  assert.throws(() => table.query("Alien", { startAfter: "x" }), /startAfter must be a lastKey/);
  await assert.rejects(table.query("Alien", { startAfter: new Uint8Array([1, 2, 3]) }).toArray(), stator.ValidationException);
});

test("a snapshot sees one moment, each page without it its own", async (t) => {
  for (const [snapshot, expected] of [[true, range(1, 9)], [false, range(1, 11)]]) {
    const { table } = await years(t);
    const seen = [];
    for await (const item of table.query("Alien", { snapshot, pageSize: 2 })) {
      if (item.year === 1) for (const year of [10, 11]) await table.put({ title: "Alien", year });
      seen.push(item.year);
    }
    assert.deepEqual(seen, expected);
    const again = await years(t);
    const sync = [];
    for (const item of again.table.query("Alien", { snapshot, pageSize: 2 }).iterateSync()) {
      if (item.year === 1) for (const year of [10, 11]) again.table.putSync({ title: "Alien", year });
      sync.push(item.year);
    }
    assert.deepEqual(sync, expected);
  }
});

test("a scan gives every item, and segments part the table", async (t) => {
  const db = await database(t, ":memory:", { durability: "none" });
  const table = await db.table("points", { partition: "id:N" });
  const batch = db.batch();
  for (let id = 0; id < 500; id++) batch.put(table, { id });
  await batch.write();
  const sorted = (items) => items.map((item) => item.id).sort((a, b) => a - b);
  assert.deepEqual(sorted(await table.scan().toArray()), range(0, 499));
  assert.equal(table.scan({ limit: 7 }).toArraySync().length, 7);
  for (const segments of [1, 3, 8]) {
    const parts = await Promise.all(range(0, segments - 1).map((segment) => table.scan({ segment, segments, pageSize: 50 }).toArray()));
    assert.deepEqual(sorted(parts.flat()), range(0, 499));
  }
});

test("an iteration that is left early lets go, and the items can be iterated again", async (t) => {
  const { table } = await years(t);
  for (const snapshot of [false, true]) {
    const items = table.query("Alien", { snapshot, pageSize: 2 });
    for await (const item of items) if (item.year === 3) break;
    for (const item of items.iterateSync()) if (item.year === 3) break;
    assert.deepEqual(yearsOf(await items.toArray()), range(1, 9));
  }
});

test("next() called many times at once gives every item once and in order", async (t) => {
  const { table } = await years(t);
  for (const snapshot of [false, true]) {
    const iterator = table.query("Alien", { snapshot, pageSize: 2 })[Symbol.asyncIterator]();
    const results = await Promise.all(range(1, 12).map(() => iterator.next()));
    assert.deepEqual(results.filter((r) => !r.done).map((r) => r.value.year), range(1, 9));
    assert.equal((await iterator.next()).done, true);
    const left = table.query("Alien", { snapshot, pageSize: 2 })[Symbol.asyncIterator]();
    const pending = left.next();
    assert.equal((await left.return()).done, true);
    await pending;
    assert.equal((await left.next()).done, true);
  }
});

test("an aborted signal ends an iteration between two pages", async (t) => {
  const { table } = await years(t);
  for (const snapshot of [false, true]) {
    const control = new AbortController();
    const seen = [];
    await assert.rejects(async () => {
      for await (const item of table.query("Alien", { snapshot, pageSize: 3, signal: control.signal })) {
        seen.push(item.year);
        if (item.year === 2) control.abort();
      }
    }, { name: "AbortError" });
    assert.deepEqual(seen, [1, 2, 3]);
  }
});

test("options that make no sense are refused", async (t) => {
  const { table } = await years(t);
  for (const value of [0, -1, 1.5, NaN, "3", null]) {
    assert.throws(() => table.query("Alien", { limit: value }), /limit must be a whole number of at least 1/);
    assert.throws(() => table.scan({ pageSize: value }), /pageSize must be a whole number of at least 1/);
  }
  assert.throws(() => table.query("Alien", { sort: 1970 }), /sort must be a condition/);
  assert.throws(() => table.query("Alien", { sort: ge(undefined) }), /undefined cannot be stored/);
  assert.throws(() => table.query(undefined), /undefined cannot be stored/);
  assert.throws(() => table.scan({ segment: 2, segments: 2 }), /segment and segments/);
  assert.throws(() => table.scan({ segment: 0 }), /segment and segments/);
  await assert.rejects(table.query(5).toArray(), stator.ValidationException);
  await assert.rejects(table.query("Alien", { sort: ge("x") }).toArray(), stator.ValidationException);
  await assert.rejects(table.query("Alien", { sort: beginsWith(1) }).toArray(), stator.ValidationException);
  assert.throws(() => table.query("Alien", { sort: between(6, 4) }).toArraySync(), stator.ValidationException);
});

test("pages of large items come through on every way of iterating", async (t) => {
  const { table } = await movies(t, { durability: "none" });
  const text = "x".repeat(300_000);
  for (let year = 1; year <= 9; year++) table.putSync({ title: "big", year, text });
  for (const snapshot of [false, true]) {
    const all = await table.query("big", { snapshot }).toArray();
    assert.deepEqual(yearsOf(all), range(1, 9));
    assert.ok(all.every((item) => item.text === text));
    assert.equal(table.query("big", { snapshot }).toArraySync().length, 9);
  }
});
