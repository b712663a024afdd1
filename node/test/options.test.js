// Each option that the package has reaches the engine, and shows there.
import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as stator from "stator";
import { database, folder } from "./support.js";

const schema = { partition: "host:S", sort: "at:N" };

/** Items that do not become smaller when they are compressed. */
async function fill(db, count, extra = 1000) {
  const table = await db.table("log", schema);
  for (let at = 0; at < count; at++) table.putSync({ host: "web", at, extra: randomFillSync(new Uint8Array(extra)) });
  return table;
}

test("create and readOnly", async (t) => {
  const path = join(folder(t), "db");
  await assert.rejects(stator.open(path, { create: false }), { code: "NOT_FOUND" });
  assert.equal(existsSync(path), false);
  const writer = await stator.open(path);
  await fill(writer, 3);
  await writer.close();
  const db = await database(t, path, { create: false, readOnly: true });
  const table = await db.openTable("log");
  assert.equal((await table.scan().toArray()).length, 3);
  await assert.rejects(table.put({ host: "web", at: 9 }), { code: "READ_ONLY" });
  await assert.rejects(db.createTable("other", { partition: "id:S" }), { code: "READ_ONLY" });
  await assert.rejects(db.flush(), { code: "READ_ONLY" });
});

test("durability of the database says how many syncs ten writes take", async (t) => {
  for (const [durability, syncs] of [[undefined, 10], ["sync", 10], ["interval", 0], ["none", 0]]) {
    const db = await database(t, folder(t), { durability, intervalMs: 60_000 });
    await fill(db, 0);
    const before = db.statsSync();
    await fill(db, 10);
    const after = db.statsSync();
    assert.equal(after.syncs - before.syncs, syncs, durability);
    assert.equal(after.durableSequence === after.appliedSequence, syncs > 0, durability);
  }
});

test("durability of a write overrules that of the database", async (t) => {
  const db = await database(t, folder(t), { durability: "none" });
  const table = await fill(db, 1);
  for (const [durability, syncs] of [[undefined, 0], ["none", 0], ["sync", 3]]) {
    for (const isSync of [false, true]) {
      const before = db.statsSync().syncs;
      const batch = db.batch({ durability }).put(table, { host: "web", at: 2 });
      if (isSync) {
        table.putSync({ host: "web", at: 1 }, { durability });
        table.deleteSync(["web", 1], { durability });
        batch.writeSync();
      } else {
        await table.put({ host: "web", at: 1 }, { durability });
        await table.delete(["web", 1], { durability });
        await batch.write();
      }
      assert.equal(db.statsSync().syncs - before, syncs, `${durability} ${isSync}`);
    }
  }
  assert.throws(() => table.putSync({ host: "web", at: 1 }, { durability: "often" }), /durability must be/);
});

test("memoryBudgetBytes, memtableBytes and fileBytes show in the statistics", async (t) => {
  const files = (stats) => stats.levels.reduce((sum, level) => sum + level.files, 0);
  const usual = await database(t, folder(t), { durability: "none" });
  await fill(usual, 1000);
  assert.equal(usual.statsSync().memoryBudgetBytes, 64 << 20);
  assert.equal(usual.statsSync().flushes, 0);
  await usual.compact();
  assert.equal(files(usual.statsSync()), 1);
  const sizes = { memoryBudgetBytes: 2 << 20, memtableBytes: 128 << 10, fileBytes: 128 << 10 };
  const small = await database(t, folder(t), { durability: "none", ...sizes });
  await fill(small, 1000);
  assert.equal(small.statsSync().memoryBudgetBytes, 2 << 20);
  assert.ok(small.statsSync().flushes > 3); // a writer waits before more than a few pile up
  await small.compact();
  assert.ok(files(small.statsSync()) > 3);
});

test("a second opening with another value is refused by the name of the option", async (t) => {
  const path = folder(t);
  await database(t, path);
  await database(t, path, { durability: "sync", intervalMs: 100, memoryBudgetBytes: 64 << 20, memtableBytes: 0, fileBytes: 0 });
  for (const [options, name] of [
    [{ readOnly: true }, "read_only"], [{ durability: "none" }, "durability"], [{ intervalMs: 99 }, "interval_ms"],
    [{ memoryBudgetBytes: 2 << 20 }, "memory_budget_bytes"], [{ memtableBytes: 1 << 20 }, "memtable_bytes"],
    [{ fileBytes: 1 << 20 }, "file_bytes"],
  ]) {
    for (const open of [stator.open, async (...words) => stator.openSync(...words)]) {
      await assert.rejects(open(path, options), (error) => error.code === "INVALID_ARGUMENT" && error.message.includes(name));
    }
  }
});

test("values out of range are refused", async () => {
  for (const [options, text] of [
    [{ intervalMs: 0 }, /interval_ms must be 1/], [{ intervalMs: 60_001 }, /interval_ms must be 1/],
    [{ intervalMs: 2 ** 32 + 100 }, /intervalMs must be a whole number/], [{ fileBytes: -1 }, /fileBytes must be a whole/],
    [{ memtableBytes: 0.5 }, /memtableBytes must be a whole/], [{ memoryBudgetBytes: 1 }, /memory_budget_bytes must be/],
  ]) {
    await assert.rejects(stator.open(":memory:", options), text);
  }
});

test("a read, consistent or not, sees each acknowledged write", async (t) => {
  const db = await database(t, ":memory:");
  const table = await fill(db, 0);
  await table.put({ host: "web", at: 1 });
  for (const consistent of [false, true]) {
    assert.equal((await table.get(["web", 1], { consistent })).at, 1);
    assert.equal(table.getSync(["web", 1], { consistent }).at, 1);
    assert.equal((await table.query("web", { consistent }).toArray()).length, 1);
    assert.equal((await table.scan({ consistent }).toArray()).length, 1);
  }
});

test("pageSize and snapshot say which moment queries and scans see", async (t) => {
  for (const kind of ["query", "scan"]) {
    for (const [options, count] of [
      [{ pageSize: 1 }, 4], [{ pageSize: 100 }, 3], [{}, 3], [{ pageSize: 1, snapshot: true }, 3],
    ]) {
      const table = await fill(await database(t, ":memory:"), 3, 0);
      let seen = 0;
      for await (const _ of kind === "query" ? table.query("web", options) : table.scan(options)) {
        if (++seen === 1) await table.put({ host: "web", at: 3 });
      }
      assert.equal(seen, count, `${kind} ${JSON.stringify(options)}`);
    }
  }
});

test("limit and startAfter of a scan", async (t) => {
  const table = await fill(await database(t, ":memory:"), 6, 0);
  const first = table.scan({ limit: 2 });
  assert.deepEqual((await first.toArray()).map((item) => item.at), [0, 1]);
  assert.deepEqual((await table.scan({ startAfter: first.lastKey }).toArray()).map((item) => item.at), [2, 3, 4, 5]);
});

test("stats has every field of the header", async (t) => {
  let root = new URL("../", import.meta.url); // the package may be a copy below the repository's own
  while (!existsSync(new URL("ffi/include/stator.h", root)) && root.pathname !== "/") root = new URL("../", root);
  const header = readFileSync(new URL("ffi/include/stator.h", root), "utf8");
  const body = /typedef struct stator_stats \{(.*?)\} stator_stats;/s.exec(header)[1].replace(/\/\*.*?\*\//gs, "");
  const names = [...body.matchAll(/\b[a-z]+(?:_[a-z]+)*\b/g)].map((match) => match[0]).filter((name) => name !== "struct_size");
  const stats = (await database(t, ":memory:")).statsSync();
  assert.ok(names.length > 20);
  for (const name of names) {
    const camel = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    const level = /^level(.*)$/.exec(camel)?.[1].toLowerCase();
    assert.equal(typeof (level === undefined ? stats[camel] : stats.levels[0][level]), "number", name);
  }
});
