import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as stator from "stator";
import { database, folder, movies } from "./support.js";

test("an item that was put is read back by object key and by values", async (t) => {
  const { table } = await movies(t);
  const item = { title: "Alien", year: 1979, crew: new Set(["Scott", "Weaver"]), rating: { imdb: 8.5 }, tags: ["a", null] };
  assert.equal(await table.put(item), undefined);
  for (const key of [{ title: "Alien", year: 1979 }, ["Alien", 1979], new Map([["title", "Alien"], ["year", 1979]])]) {
    assert.deepEqual(await table.get(key), item);
    assert.deepEqual(table.getSync(key), item);
  }
  assert.equal(await table.get(["Alien", 1980]), undefined);
  assert.equal(table.getSync(["Aliens", 1979]), undefined);
});

test("put and delete give the old item when asked", async (t) => {
  const { table } = await movies(t);
  const key = ["Alien", 1979];
  assert.equal(await table.put({ title: "Alien", year: 1979, v: 1 }, { returnOld: true }), undefined);
  assert.deepEqual(await table.put({ title: "Alien", year: 1979, v: 2 }, { returnOld: true }), { title: "Alien", year: 1979, v: 1 });
  assert.deepEqual(table.putSync({ title: "Alien", year: 1979, v: 3 }, { returnOld: true }), { title: "Alien", year: 1979, v: 2 });
  assert.deepEqual(await table.delete(key, { returnOld: true }), { title: "Alien", year: 1979, v: 3 });
  assert.equal(await table.delete(key, { returnOld: true }), undefined);
  assert.equal(table.deleteSync(key, { returnOld: true }), undefined);
  assert.equal(await table.delete(key), undefined);
  table.putSync({ title: "Alien", year: 1979 });
  assert.equal(table.deleteSync(key), undefined);
  assert.equal(table.getSync(key), undefined);
});

test("a table with one key attribute takes the bare value", async (t) => {
  const db = await database(t);
  for (const [type, value] of [["S", "a"], ["N", 7], ["B", new Uint8Array([1, 2])]]) {
    const table = await db.table(`table-${type}`, { partition: `id:${type}` });
    await table.put({ id: value });
    for (const key of [value, [value], { id: value }]) assert.deepEqual(await table.get(key), { id: value });
  }
  const numbers = await db.openTable("table-N");
  assert.deepEqual(await numbers.get(7n), { id: 7 });
  assert.deepEqual(await numbers.get(new stator.NumberValue("7.0")), { id: 7 });
});

test("a key of another shape than the schema's is refused", async (t) => {
  const { table } = await movies(t);
  const refuses = (key, message) => assert.throws(() => table.getSync(key), { name: "ValidationException", message });
  refuses(["Alien"], /2 key attributes, the key has 1 values/);
  refuses("Alien", /2 key attributes/);
  refuses(["Alien", 1979, 1], /3 values/);
  refuses(undefined, /2 key attributes/);
  refuses(null, /an item is a plain object or a Map, not null/);
  assert.throws(() => table.getSync({ title: "Alien" }), stator.ValidationException);
  assert.throws(() => table.getSync({ title: 1, year: 1979 }), stator.ValidationException);
  assert.throws(() => table.getSync({ title: "Alien", year: 1979, more: 1 }), stator.ValidationException);
  refuses(["Alien", undefined], /attribute year: undefined cannot be stored/);
  await assert.rejects(table.put([]), /plain object or a Map, not an instance of Array/);
  await assert.rejects(table.put("x"), /plain object/);
  await assert.rejects(table.put({ title: "Alien", year: NaN }), /attribute year: a number must be finite/);
  await assert.rejects(table.put({ title: "Alien" }), stator.ValidationException);
});

test("numbers come back as the database or the call asks", async (t) => {
  const { table } = await movies(t, { numbers: "value" });
  await table.put({ title: "Alien", year: 1979, big: 12345678901234567890n });
  const key = ["Alien", 1979];
  assert.equal((await table.get(key)).year.value, "1979");
  assert.equal((await table.get(key, { numbers: "auto" })).big, 12345678901234567890n);
  assert.equal(table.getSync(key, { numbers: "number" }).big, 12345678901234567000);
  assert.equal((await table.query("Alien").toArray())[0].year.value, "1979");
  assert.equal(table.query("Alien", { numbers: "auto" }).toArraySync()[0].year, 1979);
  assert.equal((await table.put({ title: "Alien", year: 1979 }, { returnOld: true })).year.value, "1979");
  await assert.rejects(stator.open(":memory:", { numbers: "exact" }), /numbers must be/);
});

test("numbers are checked and made canonical by the engine", async (t) => {
  const { table } = await movies(t);
  await table.put({ title: "Alien", year: new stator.NumberValue("1.9790E3"), x: new stator.NumberValue("-0.00") });
  assert.deepEqual(table.getSync(["Alien", 1979]), { title: "Alien", year: 1979, x: 0 });
  for (const bad of [1e126, 1e-131, 10n ** 126n, new stator.NumberValue("1".repeat(39))]) {
    await assert.rejects(table.put({ title: "Alien", year: 1, bad }), stator.ValidationException);
  }
});

test("removeUndefined leaves such attributes out", async (t) => {
  const { table } = await movies(t, { removeUndefined: true });
  await table.put({ title: "Alien", year: 1979, a: undefined, b: [undefined, 1] });
  assert.deepEqual(await table.get(["Alien", 1979]), { title: "Alien", year: 1979, b: [1] });
  const strict = await movies(t);
  await assert.rejects(strict.table.put({ title: "Alien", year: 1979, a: undefined }), /attribute a: undefined/);
});

test("batchGet gives one element for each key in their order", async (t) => {
  const { table } = await movies(t);
  for (const year of [1, 2, 3]) table.putSync({ title: "Alien", year });
  const keys = [["Alien", 3], ["Alien", 9], { title: "Alien", year: 1 }];
  const expected = [{ title: "Alien", year: 3 }, undefined, { title: "Alien", year: 1 }];
  assert.deepEqual(await table.batchGet(keys), expected);
  assert.deepEqual(table.batchGetSync(new Set(keys)), expected);
  assert.deepEqual(await table.batchGet([]), []);
  assert.deepEqual(table.batchGetSync([]), []);
});

test("a batch is applied together or not at all", async (t) => {
  const { db, table } = await movies(t);
  const users = await db.table("users", { partition: "id:N" });
  table.putSync({ title: "old", year: 1 });
  const batch = db.batch({ durability: "none" });
  const item = { title: "Alien", year: 1979, v: 1 };
  batch.put(table, item).put(users, { id: 1 }).delete(table, ["old", 1]);
  item.v = 2;
  assert.equal(batch.size, 3);
  await batch.write();
  assert.equal(batch.size, 0);
  assert.deepEqual(await table.scan().toArray(), [{ title: "Alien", year: 1979, v: 1 }]);
  assert.deepEqual(users.getSync(1), { id: 1 });
  await batch.write();

  const twice = db.batch().put(users, { id: 2 }).put(users, { id: 2 });
  await assert.rejects(twice.write(), stator.ValidationException);
  assert.equal(users.getSync(2), undefined);
  assert.throws(() => db.batch().put(users, { id: undefined }), /attribute id: undefined/);
  db.batch().put(users, { id: 3 }).writeSync();
  assert.deepEqual(users.getSync(3), { id: 3 });
  const other = await movies(t);
  assert.throws(() => db.batch().put(other.table, item), /another database/);
  assert.throws(() => db.batch().delete({}, 1), /another database/);
});

test("getters in items may use the database", async (t) => {
  const { table } = await movies(t);
  await table.put({
    title: "outer",
    year: 1,
    get inner() {
      table.putSync({ title: "inner", year: 2, text: "x".repeat(20_000) });
      return table.getSync(["inner", 2]).text.length;
    },
  });
  assert.deepEqual(table.getSync(["outer", 1]), { title: "outer", year: 1, inner: 20_000 });
});

test("items up to the limit of 400 KB come back whole, larger ones are refused", async (t) => {
  const { table } = await movies(t);
  for (const text of ["x".repeat(399_000), "é".repeat(199_000)]) {
    await table.put({ title: "big", year: 1, text });
    assert.equal((await table.get(["big", 1])).text, text);
    assert.equal(table.getSync(["big", 1]).text, text);
  }
  await assert.rejects(table.put({ title: "big", year: 1, text: "x".repeat(410_000) }), stator.ValidationException);
});

test("results larger than the shared buffer come back whole", async (t) => {
  const { table } = await movies(t);
  const keys = Array.from({ length: 10 }, (_, year) => ["big", year]);
  for (const [title, year] of keys) await table.put({ title, year, text: `${year}`.repeat(300_000) });
  const expected = keys.map(([title, year]) => ({ title, year, text: `${year}`.repeat(300_000) }));
  assert.deepEqual(await table.batchGet(keys), expected);
  assert.deepEqual(table.batchGetSync(keys), expected);
});

test("durability must be one of three words", async (t) => {
  const { table } = await movies(t);
  for (const durability of ["sync", "interval", "none"]) await table.put({ title: "a", year: 1 }, { durability });
  await assert.rejects(table.put({ title: "a", year: 1 }, { durability: "toString" }), /durability must be/);
});

test("tables are made once, opened, listed and deleted, on both ways of calling", async (t) => {
  const db = await database(t);
  const schema = { partition: "id:S" };
  const table = await db.createTable("one", schema);
  assert.equal(table.name, "one");
  assert.deepEqual(table.keys, [{ name: "id", type: "S" }]);
  assert.ok(Math.abs(table.created.getTime() - Date.now()) < 3_600_000);
  db.createTableSync("two", { partition: "a:S", sort: "b.c:d:N" });
  assert.deepEqual((await db.openTable("two")).keys, [{ name: "a", type: "S" }, { name: "b.c:d", type: "N" }]);
  assert.deepEqual(db.openTableSync("one").keys, table.keys);
  assert.deepEqual((await db.table("one", schema)).keys, table.keys);
  assert.deepEqual(db.tableSync("one").keys, table.keys);
  assert.deepEqual(await db.tables(), ["one", "two"]);
  assert.deepEqual(db.tablesSync(), ["one", "two"]);
  await assert.rejects(db.createTable("one", schema), stator.ResourceInUseException);
  assert.throws(() => db.createTableSync("one", schema), stator.ResourceInUseException);
  await assert.rejects(db.table("one", { partition: "id:N" }), stator.ValidationException);
  await assert.rejects(db.openTable("none"), { name: "ResourceNotFoundException", code: "TABLE_NOT_FOUND" });
  await assert.rejects(db.table("none"), stator.ResourceNotFoundException);
  await db.deleteTable("one");
  db.deleteTableSync("two");
  await assert.rejects(db.deleteTable("one"), stator.ResourceNotFoundException);
  assert.deepEqual(await db.tables(), []);
  await db.createTable("one", schema);
  await assert.rejects(table.get("a"), stator.ResourceNotFoundException);
  for (const partition of ["id", "id:X", ":S", 1, undefined]) {
    await assert.rejects(db.createTable("three", { partition }), /is not "name:S", "name:N" or "name:B"/);
  }
  await assert.rejects(db.createTable(3, schema), /name of a table must be a string/);
  await assert.rejects(db.createTable("a", schema), stator.ValidationException);
});

test("hundreds of tables are listed in full", async (t) => {
  const db = await database(t, ":memory:", { durability: "none" });
  const names = Array.from({ length: 250 }, (_, i) => `table-${String(i).padStart(4, "0")}`);
  await Promise.all(names.map((name) => db.createTable(name, { partition: "id:S" })));
  assert.deepEqual(await db.tables(), names);
  assert.deepEqual(db.tablesSync(), names);
});

test("what was put is there after the database was opened again", async (t) => {
  const path = folder(t);
  for (const round of [1, 2]) {
    const db = await stator.open(path);
    const table = await db.table("movies", { partition: "title:S", sort: "year:N" });
    if (round === 2) assert.deepEqual(await table.get(["Alien", 1]), { title: "Alien", year: 1 });
    await table.put({ title: "Alien", year: round });
    await db.close();
  }
  const db = stator.openSync(path, { readOnly: true, create: false });
  assert.equal(db.tableSync("movies").query("Alien").toArraySync().length, 2);
  await assert.rejects(db.tableSync("movies").put({ title: "x", year: 1 }), { name: "ReadOnlyError", code: "READ_ONLY" });
  db.closeSync();
});

test("any item comes back from the engine as it went in", async (t) => {
  const { table } = await movies(t, { durability: "none" });
  const text = fc.string({ unit: "grapheme", maxLength: 30 });
  const number = fc.oneof(
    fc.maxSafeInteger().map((value) => value + 0),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((v) => Math.abs(v) >= 1e-130 && Math.abs(v) < 9.99e125),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      text, number, fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 30 }),
      fc.uniqueArray(text, { minLength: 1, maxLength: 5 }).map((list) => new Set(list)),
      fc.uniqueArray(number, { minLength: 1, maxLength: 5, comparator: (a, b) => a === b }).map((list) => new Set(list)),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(text.filter((name) => name !== ""), tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const item = fc.dictionary(text.filter((name) => !["", "title", "year"].includes(name)), value, { maxKeys: 8, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(item, number, async (attributes, year) => {
      const whole = { ...attributes, title: "any", year };
      await table.put(whole);
      assert.deepEqual(await table.get(["any", year]), whole);
      assert.deepEqual(table.getSync(["any", year]), whole);
    }),
    { numRuns: 300 },
  );
});
