import assert from "node:assert/strict";
import { test } from "node:test";
import { ConditionalCheckFailedException, ge, NumberValue, TransactionCanceledException } from "stator";
import { database, movies } from "./support.js";

const key = ["Alien", 1979];
const hour = 3600 * 1000;

/** The call, by promise and on this thread, as two functions that reject. */
function both(table, name, ...words) {
  return [() => table[name](...words), async () => table[`${name}Sync`](...words)];
}

test("conditions of put, update and delete", async (t) => {
  const { table } = await movies(t);
  const item = { title: "Alien", year: 1979, note: "first" };
  await table.put(item, { condition: "attribute_not_exists(title)" });
  const options = { returnOnFailure: true, numbers: "value" };
  for (const call of [
    ...both(table, "put", { title: "Alien", year: 1979 }, { condition: "attribute_not_exists(title)", ...options }),
    ...both(table, "update", key, "REMOVE note", { condition: "note = :n", values: { ":n": "second" }, ...options }),
    ...both(table, "delete", key, { condition: "#n <> :n", names: { "#n": "note" }, values: new Map([[":n", "first"]]), ...options }),
    ...both(table, "delete", key, { condition: "note <> :n", values: { ":n": "first" }, returnOld: true, ...options }),
  ]) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof ConditionalCheckFailedException);
      assert.equal(error.message, "The conditional request failed");
      assert.deepEqual(error.item, { ...item, year: new NumberValue("1979") });
      return error.maybeApplied === false;
    });
  }
  assert.deepEqual(await table.get(key), item);
  for (const call of both(table, "put", item, { condition: "attribute_not_exists(title)" })) {
    await assert.rejects(call, (error) => error instanceof ConditionalCheckFailedException && error.item === undefined);
  }
  await table.delete(key, { condition: "note = :n", values: { ":n": "first" } });
  assert.equal(await table.get(key), undefined);
});

test("puts with and without conditions that are under way together each get their own answer", async (t) => {
  const { table } = await movies(t);
  const results = await Promise.allSettled(Array.from({ length: 300 }, (_, i) =>
    table.put({ title: "Alien", year: i % 100, i }, i % 3 === 0 ? {} : { condition: "attribute_not_exists(title)" })));
  const seen = new Set();
  results.forEach(({ status, reason }, i) => {
    const isExpected = i % 3 === 0 || !seen.has(i % 100);
    seen.add(i % 100);
    assert.equal(status, isExpected ? "fulfilled" : "rejected", `${i} ${reason}`);
  });
});

test("update returns what is asked for", async (t) => {
  const { table } = await movies(t);
  await table.put({ title: "Alien", year: 1979, stars: 4, note: "x" });
  const set = (stars, returns) => [key, "SET stars = :s", { values: { ":s": stars }, returns }];
  assert.deepEqual(await table.update(...set(5, "ALL_OLD")), { title: "Alien", year: 1979, stars: 4, note: "x" });
  assert.deepEqual(table.updateSync(...set(6, "UPDATED_OLD")), { stars: 5 });
  assert.deepEqual(await table.update(...set(7, "UPDATED_NEW")), { stars: 7 });
  assert.deepEqual(table.updateSync(...set(8, "ALL_NEW")), { title: "Alien", year: 1979, stars: 8, note: "x" });
  for (const returns of [undefined, "NONE"]) {
    assert.equal(await table.update(...set(9, returns)), undefined);
    assert.equal(table.updateSync(...set(9, returns)), undefined);
  }
  assert.equal((await table.get(key)).stars, 9);
  assert.equal(await table.update(["Brazil", 1985], "ADD seen :one", { values: { ":one": 1 }, returns: "ALL_OLD" }), undefined);
  assert.equal((await table.get(["Brazil", 1985])).seen, 1);
  assert.deepEqual(await table.put({ title: "Brazil", year: 1985 }, { returns: "ALL_OLD" }), { title: "Brazil", year: 1985, seen: 1 });
  for (const call of [
    ...both(table, "update", key, "SET stars = :s"), ...both(table, "update", key, 7), ...both(table, "update", key, "SET", {}),
    ...both(table, "update", key, "REMOVE stars", { returns: "all" }), ...both(table, "put", { title: "x", year: 1 }, { returns: "ALL_NEW" }),
    ...both(table, "put", { title: "x", year: 1 }, { condition: 7 }), ...both(table, "put", { title: "x", year: 1 }, { names: { "#n": 1 } }),
  ]) {
    await assert.rejects(call, { name: "ValidationException" });
  }
});

test("projection, filter and keyCondition", async (t) => {
  const { table } = await movies(t);
  for (let year = 1979; year <= 1988; year++) table.putSync({ title: "Alien", year, note: String(year % 3) });
  const onlyYear = { projection: "#y", names: { "#y": "year" } };
  assert.deepEqual(await table.get(["Alien", 1980], onlyYear), { year: 1980 });
  assert.deepEqual(table.getSync(["Alien", 1980], onlyYear), { year: 1980 });
  assert.deepEqual(await table.batchGet([key, ["Alien", 1]], onlyYear), [{ year: 1979 }, undefined]);
  assert.deepEqual(table.batchGetSync([key], onlyYear), [{ year: 1979 }]);
  const options = {
    keyCondition: "title = :t AND #y BETWEEN :a AND :b", filter: "note = :n", names: { "#y": "year" },
    values: { ":t": "Alien", ":a": 1981, ":b": 1986, ":n": "1" },
  };
  for (const more of [{}, { pageSize: 1 }, { snapshot: true, pageSize: 2 }]) {
    const items = table.query(undefined, { ...options, ...more });
    assert.deepEqual((await items.toArray()).map((m) => m.year), [1981, 1984]);
    assert.deepEqual(items.toArraySync().map((m) => m.year), [1981, 1984]);
    assert.deepEqual((await table.query(undefined, { ...options, ...more, limit: 1 }).toArray()).map((m) => m.year), [1981]);
  }
  assert.throws(() => table.query("Alien", options), /not both/);
  assert.throws(() => table.query(undefined, { ...options, sort: ge(1) }), /not both/);
  const scanned = table.scan({ filter: "note = :n", values: { ":n": "0" }, projection: "note", pageSize: 1 });
  assert.deepEqual(await scanned.toArray(), [{ note: "0" }, { note: "0" }, { note: "0" }]);
});

test("indexes, ttl and stream of a table", async (t) => {
  const db = await database(t);
  const schema = {
    partition: "title:S", sort: "year:N",
    local: { by_note: { sort: "note:S", projection: "KEYS_ONLY" } },
    globals: { by_rating: { partition: ["genre:S", "rating:N"], sort: "year:N", projection: ["stars"] }, by_year: "year:N" },
    ttl: "expires", stream: "NEW_AND_OLD_IMAGES",
  };
  const made = await db.createTable("movies", schema);
  const indexes = [
    { name: "by_note", isLocal: true, partition: ["title:S"], sort: ["note:S"], projection: "KEYS_ONLY" },
    { name: "by_rating", isLocal: false, partition: ["genre:S", "rating:N"], sort: ["year:N"], projection: ["stars"] },
    { name: "by_year", isLocal: false, partition: ["year:N"], sort: [], projection: "ALL" },
  ];
  for (const table of [made, await db.table("movies", schema), db.tableSync("movies"), await db.openTable("movies")]) {
    assert.deepEqual([...table.indexes].sort((a, b) => (a.name < b.name ? -1 : 1)), indexes);
    assert.deepEqual([table.ttl, table.stream], ["expires", "NEW_AND_OLD_IMAGES"]);
  }
  const expires = Math.floor(Date.now() / 1000) + 24 * 3600;
  for (let year = 1979; year <= 1982; year++) {
    await made.put({ title: "Alien", year, note: String(9 - (year % 2)), genre: "space", rating: year % 2, stars: 3, extra: true, expires });
  }
  assert.deepEqual(await made.query("Alien", { index: "by_note", sort: ge("9"), limit: 1 }).toArray(), [{ title: "Alien", year: 1980, note: "9" }]);
  const rated = await made.query(undefined, {
    index: "by_rating", keyCondition: "genre = :g AND rating = :r", values: { ":g": "space", ":r": 1 }, reverse: true,
  }).toArray();
  assert.deepEqual(rated.map((m) => [m.year, m.stars, m.extra]), [[1981, 3, undefined], [1979, 3, undefined]]);
  assert.equal((await made.query(1980, { index: "by_year" }).toArray())[0].extra, true);
  assert.equal(made.scan({ index: "by_year", pageSize: 1 }).toArraySync().length, 4);
  await assert.rejects(made.query("x", { index: "none" }).toArray(), { name: "ValidationException", message: /none/ });
  await db.moveClock(48 * hour);
  assert.equal(await made.get(["Alien", 1980]), undefined);

  for (const [change, message] of [
    [{ globals: { by_year: "year:N" }, local: undefined }, /other indexes/], [{ ttl: "until" }, /other ttl/], [{ stream: "KEYS_ONLY" }, /other stream/],
  ]) {
    await assert.rejects(db.table("movies", { ...schema, ...change }), { name: "ValidationException", message });
    assert.throws(() => db.tableSync("movies", { ...schema, ...change }), { name: "ValidationException", message });
  }
  await db.table("movies", { partition: "title:S", sort: "year:N" });
  for (const wrong of [
    { globals: { a: "x" } }, { globals: { a: { partition: ["x:Q"] } } }, { globals: { a: { partition: "x:S", projection: "SOME" } } },
    { ttl: 7 }, { stream: "BOTH" }, { local: { a: "note:Z" } },
  ]) {
    await assert.rejects(db.createTable("other", { partition: "id:S", ...wrong }), { name: "ValidationException" });
    assert.throws(() => db.createTableSync("other", { partition: "id:S", ...wrong }), { name: "ValidationException" });
  }
  assert.deepEqual(await db.tables(), ["movies"]);
});

test("a transaction is all or nothing, and tells why", async (t) => {
  const { db, table } = await movies(t);
  const other = await db.table("other", { partition: "id:S" });
  await table.put({ title: "Alien", year: 1979, note: "x" });
  await other.put({ id: "gone" });
  const entries = (note) => [
    { table: other, put: { id: "a" }, condition: "attribute_not_exists(id)" },
    { table: other, update: "b", expression: "ADD hits :one", values: { ":one": 1 } },
    { table: other, delete: "gone" },
    { table, check: key, condition: "note = :n", values: { ":n": note }, returnOnFailure: true },
  ];
  for (const call of both(db, "transactWrite", entries("y"), { numbers: "value" })) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof TransactionCanceledException);
      assert.deepEqual(error.reasons, [
        ...Array(3).fill({ code: undefined, message: "", item: undefined }),
        { code: "CONDITION_FAILED", message: "The conditional request failed",
          item: { title: "Alien", year: new NumberValue("1979"), note: "x" } },
      ]);
      return true;
    });
  }
  assert.deepEqual(await other.scan().toArray(), [{ id: "gone" }]);
  await db.transactWrite(entries("x"), { durability: "none" });
  const reads = [
    { table: other, key: "a" }, { table: other, key: "gone" }, { table: other, key: "b", projection: "#h", names: { "#h": "hits" } },
    { table, key },
  ];
  const want = [{ id: "a" }, undefined, { hits: 1 }, { title: "Alien", year: 1979, note: "x" }];
  assert.deepEqual(await db.transactGet(reads), want);
  assert.deepEqual(db.transactGetSync(reads), want);
});

test("a token applies a transaction once", async (t) => {
  const { db, table } = await movies(t);
  const add = (count) => [{ table, update: key, expression: "ADD seen :n", values: { ":n": count } }];
  await db.transactWrite(add(1), { token: "once" });
  db.transactWriteSync(add(1), { token: "once" });
  assert.equal((await table.get(key)).seen, 1);
  await assert.rejects(db.transactWrite(add(2), { token: "once" }), { name: "IdempotentParameterMismatchException" });
  await db.moveClock(11 * 60 * 1000);
  await db.transactWrite(add(2), { token: "once" });
  assert.equal((await table.get(key)).seen, 3);
});

test("transactions that cannot be are refused", async (t) => {
  const { db, table } = await movies(t);
  const { table: foreign } = await movies(t);
  const item = { title: "Alien", year: 1 };
  for (const [entries, options] of [
    [[]], [[{ put: item }]], [[{ table }]], [[{ table: foreign, put: item }]], [[{ table, update: key }]],
    [[{ table, put: item }], { token: "" }], [[{ table, put: item }], { token: "x".repeat(37) }], [[{ table, check: key }]],
    [[{ table, put: item }, { table, delete: ["Alien", 1] }]],
  ]) {
    for (const call of both(db, "transactWrite", entries, options)) await assert.rejects(call, { name: "ValidationException" });
  }
  for (const reads of [[], [{ key }], [{ table: foreign, key }]]) {
    for (const call of both(db, "transactGet", reads)) await assert.rejects(call, { name: "ValidationException" });
  }
  assert.deepEqual(await table.scan().toArray(), []);
});

test("a long message is whole", async (t) => {
  const { table } = await movies(t);
  const values = { ":v": 1, [`:unused${"u".repeat(300)}`]: 2 };
  for (const call of both(table, "put", { title: "x", year: 1 }, { condition: "title = :v", values })) {
    await assert.rejects(call, (error) => error.name === "ValidationException" && error.message.length > 300);
  }
});
