import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import natives from "../dist/native.js";
import * as stator from "stator";
import { database, folder, movies } from "./support.js";

const schema = { partition: "id:N" };
const script = (code) => ["--input-type=module", "-e", code];

test("opening what cannot be opened gives the error by name", async (t) => {
  const path = folder(t);
  for (const open of [stator.open, async (...words) => stator.openSync(...words)]) {
    await assert.rejects(open(join(path, "none"), { create: false }), { name: "NotFoundError", code: "NOT_FOUND" });
    writeFileSync(join(path, "file"), "text");
    await assert.rejects(open(join(path, "file")), stator.StatorError);
    await assert.rejects(open(":memory:", { memoryBudgetBytes: 1 }), stator.ValidationException);
    await assert.rejects(open(":memory:", { memoryBudgetBytes: "x" }), /memoryBudgetBytes must be a whole number/);
    await assert.rejects(open(":memory:", { intervalMs: -1 }), /intervalMs must be a whole number/);
    await assert.rejects(open(":memory:", { durability: "most" }), /durability must be/);
    await assert.rejects(open(undefined), /path must be a string/);
  }
});

test("another process is told that the database is locked", async (t) => {
  const path = folder(t);
  await database(t, path);
  const code = `import { open } from "stator"; open(${JSON.stringify(path)}).catch((e) => console.log(e.name, e.code, e.retryable));`;
  assert.equal(execFileSync(process.execPath, script(code), { cwd: import.meta.dirname ?? "test", encoding: "utf8" }), "LockedError LOCKED true\n");
});

test("a database opened twice in one process is the same", async (t) => {
  const path = folder(t);
  const first = await database(t, path);
  const second = await database(t, path);
  const table = await first.table("numbers", schema);
  await table.put({ id: 1 });
  assert.deepEqual(await (await second.openTable("numbers")).get(1), { id: 1 });
  await first.close();
  assert.deepEqual(await (await second.openTable("numbers")).get(1), { id: 1 });
});

test("after close every call is refused, and closing again is fine", async (t) => {
  const { db, table } = await movies(t);
  const batch = db.batch().put(table, { title: "a", year: 1 });
  const iterator = table.query("a", { snapshot: true, pageSize: 1 })[Symbol.asyncIterator]();
  for (const year of [1, 2, 3]) table.putSync({ title: "a", year });
  await iterator.next();
  const iteratorSync = table.query("a", { snapshot: true, pageSize: 1 }).iterateSync();
  iteratorSync.next();
  await db.close();
  await db.close();
  db.closeSync();
  assert.equal(db.isClosed, true);
  const closed = { name: "ClosedError", code: "CLOSED" };
  for (const call of [
    () => table.put({ title: "a", year: 1 }), () => table.get(["a", 1]), () => table.delete(["a", 1]), () => batch.write(),
    () => table.batchGet([["a", 1]]), () => iterator.next(), () => db.table("x", schema), () => db.openTable("x"),
    () => db.createTable("x", schema), () => db.deleteTable("x"), () => db.tables(), () => db.flush(), () => db.compact(),
    () => db.verify(), () => db.stats(),
  ]) {
    await assert.rejects(call(), closed, String(call));
  }
  for (const call of [
    () => table.putSync({ title: "a", year: 1 }), () => table.getSync(["a", 1]), () => table.deleteSync(["a", 1]),
    () => table.query("a"), () => table.scan(), () => db.batch(), () => iteratorSync.next(), () => db.tablesSync(),
    () => db.flushSync(), () => db.compactSync(), () => db.verifySync(), () => db.statsSync(), () => db.tableSync("x"),
  ]) {
    assert.throws(call, closed, String(call));
  }
});

test("close waits for what was called before", async (t) => {
  const path = folder(t);
  for (const close of ["close", "closeSync"]) {
    const db = await stator.open(path);
    const table = await db.table(`table-${close}`, schema);
    const writes = Array.from({ length: 50 }, (_, id) => table.put({ id }));
    const flush = db.flush();
    await db[close]();
    await Promise.all([...writes, flush]);
    const again = await stator.open(path);
    assert.equal((await (await again.openTable(`table-${close}`)).scan().toArray()).length, 50);
    await again.close();
  }
});

test("a getter that closes the database in the middle of a put is told so", async (t) => {
  const { db, table } = await movies(t);
  const item = {
    title: "a",
    get year() {
      db.closeSync();
      return 1;
    },
  };
  assert.throws(() => table.putSync(item), stator.ClosedError);
});

test("using and await using close", async () => {
  const db = await stator.open(":memory:");
  assert.equal(typeof db[Symbol.asyncDispose], "function");
  await db[Symbol.asyncDispose]();
  assert.equal(db.isClosed, true);
  const second = stator.openSync(":memory:");
  second[Symbol.dispose]();
  assert.equal(second.isClosed, true);
});

test("writes keep the order of their calls", async (t) => {
  const { table } = await movies(t);
  const writes = [];
  for (let i = 0; i < 200; i++) {
    writes.push(i % 5 === 4 ? table.delete(["a", 1]) : table.put({ title: "a", year: 1, i }, i % 7 === 0 ? { returnOld: true } : {}));
  }
  const results = await Promise.all(writes);
  for (let i = 7; i < 200; i += 7) {
    if (i % 5 !== 4) assert.equal(results[i]?.i, (i - 1) % 5 === 4 ? undefined : i - 1);
  }
  await Promise.all([table.put({ title: "a", year: 1, i: "last" }), table.put({ title: "a", year: 1, i: "very last" })]);
  assert.equal((await table.get(["a", 1])).i, "very last");
});

test("one bad write among many fails alone", async (t) => {
  const { db, table } = await movies(t);
  const gone = await db.createTable("gone", schema);
  await db.deleteTable("gone");
  const results = await Promise.allSettled([
    table.put({ title: "a", year: 1 }), table.put({ title: "b" }), table.put({ title: "c", year: 1 }), gone.put({ id: 1 }),
    table.put({ title: "d", year: 1 }), table.put({ title: "a", year: 1, v: 2 }),
  ]);
  assert.deepEqual(results.map((r) => r.reason?.name), [
    undefined, "ValidationException", undefined, "ResourceNotFoundException", undefined, undefined,
  ]);
  assert.deepEqual(await table.get(["a", 1]), { title: "a", year: 1, v: 2 });
  assert.equal((await table.scan().toArray()).length, 3);
});

test("writes that wait together share syncs", async (t) => {
  const db = await database(t, folder(t));
  const table = await db.table("numbers", schema);
  const before = db.statsSync();
  await Promise.all(Array.from({ length: 1000 }, (_, id) => table.put({ id })));
  const after = db.statsSync();
  assert.equal((await table.scan().toArray()).length, 1000);
  assert.ok(after.syncs - before.syncs < 500, `${after.syncs - before.syncs} syncs`);
});

test("a signal abandons the wait with its own reason", async (t) => {
  const { db, table } = await movies(t);
  const control = new AbortController();
  const reason = new Error("mine");
  const write = table.put({ title: "a", year: 1 }, { signal: control.signal });
  control.abort(reason);
  await assert.rejects(write, (error) => error === reason && error.maybeApplied === true);
  await assert.rejects(table.put({ title: "b", year: 1 }, { signal: AbortSignal.abort() }), (error) => {
    assert.equal(error.name, "AbortError");
    assert.equal(error.maybeApplied, undefined);
    return true;
  });
  assert.equal(await table.get(["b", 1]), undefined);
  await assert.rejects(table.get(["a", 1], { signal: AbortSignal.abort("text") }), (error) => error === "text");
  await assert.rejects(table.query("a", { signal: AbortSignal.abort(reason) }).toArray(), (error) => error === reason);
  await assert.rejects(table.batchGet([["a", 1]], { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  const third = new AbortController();
  const batch = db.batch().put(table, { title: "c", year: 1 }).write({ signal: third.signal });
  third.abort("text");
  await assert.rejects(batch, (error) => error.code === "CANCELLED" && error.maybeApplied && error.cause === "text");
  const live = new AbortController();
  await table.put({ title: "e", year: 1 });
  assert.deepEqual(await table.get(["a", 1], { signal: live.signal }), { title: "a", year: 1 });
  await table.put({ title: "d", year: 1 }, { signal: live.signal });
  live.abort();
});

test("flush, compact, verify and stats work on both ways of calling", async (t) => {
  const db = await database(t, folder(t));
  const table = await db.table("numbers", schema);
  for (let id = 0; id < 100; id++) table.putSync({ id }, { durability: "none" });
  assert.equal(await db.flush(), undefined);
  db.flushSync();
  await db.compact();
  db.compactSync();
  const report = await db.verify();
  assert.ok(report.length > 0);
  assert.equal(typeof db.verifySync(), "string");
  const stats = await db.stats();
  assert.equal(stats.tableCount, 1);
  assert.equal(stats.levels.length, 7);
  assert.ok(stats.levels.reduce((sum, level) => sum + level.entries, 0) >= 100);
  assert.ok(stats.durableSequence <= stats.publishedSequence && stats.publishedSequence <= stats.appliedSequence);
  assert.ok(stats.flushes >= 1 && stats.memoryBudgetBytes >= 1 << 20);
  assert.deepEqual(await table.get(42), { id: 42 });
});

test("reads from memory stay on the calling thread, those from files go to a worker", async (t) => {
  const path = folder(t);
  const first = await stator.open(path);
  const table = await first.table("numbers", schema);
  for (let id = 0; id < 3000; id++) table.putSync({ id, text: `${id}`.repeat(25) }, { durability: "none" });
  await first.compact();
  await first.close();
  const db = await database(t, path);
  const cold = await db.openTable("numbers");
  const binary = natives.native();
  const submit = t.mock.method(binary, "submit");
  const handed = async (work) => {
    const before = submit.mock.callCount();
    await work();
    return submit.mock.callCount() - before;
  };
  const reads = async () => {
    assert.deepEqual((await Promise.all([5, 1000, 2999, 3000].map((id) => cold.get(id)))).map((item) => item?.id), [5, 1000, 2999, undefined]);
    assert.deepEqual((await cold.batchGet([1, 2000, 9999])).map((item) => item?.id), [1, 2000, undefined]);
    assert.equal((await cold.scan({ pageSize: 1000 }).toArray()).length, 3000);
  };
  assert.ok((await handed(reads)) > 0);
  assert.equal(await handed(reads), 0);
  for (const call of submit.mock.calls) assert.equal(call.arguments[3], natives.LANE_READ);
});

test("nothing waits for the pool that the runtime shares", (t) => {
  const path = folder(t);
  execFileSync("mkfifo", [join(path, "fifo")]);
  // One thread in the pool, and it waits for a writer of the fifo until the database has done all its work.
  const code = `
    import fs from "node:fs";
    import { open } from "stator";
    const fifo = ${JSON.stringify(join(path, "fifo"))};
    let opened = false;
    const blocked = fs.promises.open(fifo, "r").then((file) => { opened = true; return file.close(); });
    const db = await open(${JSON.stringify(join(path, "db"))});
    const table = await db.table("numbers", { partition: "id:N" });
    await table.put({ id: 1 });
    await db.compact();
    await db.verify();
    console.log(await table.get(1), (await table.scan({ snapshot: true }).toArray()).length);
    await db.close();
    console.log(opened);
    fs.closeSync(fs.openSync(fifo, fs.constants.O_WRONLY));
    await blocked;
    console.log(opened);`;
  const done = spawnSync(process.execPath, script(code), {
    cwd: new URL(".", import.meta.url), encoding: "utf8", timeout: 60_000, env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
  });
  assert.equal(done.stdout, "{ id: 1 } 1\nfalse\ntrue\n", done.stderr);
});

test("a package without a binary for the machine says so", (t) => {
  const path = folder(t);
  cpSync(new URL("../dist", import.meta.url), join(path, "dist"), { recursive: true });
  const { openSync } = createRequire(import.meta.url)(join(path, "dist/index.js"));
  assert.throws(() => openSync(":memory:"), /StatorError: stator has no binary for .*stator\.node is missing/);
});

test("damage is reported with the report", async (t) => {
  const path = folder(t);
  const first = await stator.open(path);
  const table = await first.table("numbers", schema);
  for (let id = 0; id < 2000; id++) table.putSync({ id, text: `${id}`.repeat(20) }, { durability: "none" });
  await first.compact();
  await first.close();
  const files = readdirSync(path, { recursive: true }).filter((name) => /sst|\.sorted|\.st$/i.test(name));
  assert.ok(files.length > 0, readdirSync(path, { recursive: true }).join(" "));
  const { openSync, writeSync, closeSync, statSync } = await import("node:fs");
  const name = join(path, files[0]);
  const file = openSync(name, "r+");
  writeSync(file, Buffer.alloc(64, 0x5a), 0, 64, Math.floor(statSync(name).size / 3));
  closeSync(file);
  const db = await database(t, path);
  await assert.rejects(db.verify(), (error) => {
    assert.equal(error.code, "CORRUPT");
    assert.equal(error.name, "InternalServerError");
    assert.ok(error.report.length > 0);
    return true;
  });
  assert.throws(() => db.verifySync(), { code: "CORRUPT" });
});

test("worker threads have the package too, and may end with databases open", async (t) => {
  const path = folder(t);
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { open } = require(workerData.entry);
    open(workerData.path).then(async (db) => {
      const table = await db.table("numbers", { partition: "id:N" });
      await table.put({ id: workerData.id });
      for (let i = 0; i < 100; i++) table.put({ id: workerData.id, i });
      parentPort.postMessage("ok");
      process.exit(0);
    });`;
  const entry = createRequire(import.meta.url).resolve("stator");
  const db = await database(t, path);
  const table = await db.table("numbers", schema);
  await Promise.all([1, 2, 3].map((id) => new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: { entry, path, id } });
    worker.on("error", reject).on("exit", resolve);
  })));
  assert.deepEqual((await table.scan().toArray()).map((item) => item.id).sort(), [1, 2, 3]);
});

test("a process that forgets to close ends by itself", () => {
  const code = `import { open } from "stator"; const db = await open(":memory:"); const t = await db.table("xxx", { partition: "id:N" }); await t.put({ id: 1 }); console.log("done");`;
  const done = spawnSync(process.execPath, script(code), { cwd: new URL(".", import.meta.url), encoding: "utf8", timeout: 20_000 });
  assert.equal(done.stdout, "done\n");
  assert.equal(done.status, 0, done.stderr);
});

test("a process stays alive until its writes are done", (t) => {
  const path = folder(t);
  const code = `import { open } from "stator"; const db = await open(${JSON.stringify(path)}); const t = await db.table("xxx", { partition: "id:N" }); for (let id = 0; id < 100; id++) t.put({ id }); db.close().then(() => console.log("closed"));`;
  const done = spawnSync(process.execPath, script(code), { cwd: new URL(".", import.meta.url), encoding: "utf8", timeout: 20_000 });
  assert.equal(done.stdout, "closed\n", done.stderr);
  const db = stator.openSync(path);
  assert.equal(db.tableSync("xxx").scan().toArraySync().length, 100);
  db.closeSync();
});

test("databases that are forgotten are closed by the garbage collector", (t) => {
  const path = folder(t);
  const code = `
    import { openSync, open } from "stator";
    const path = ${JSON.stringify(path)};
    (() => { openSync(path).tableSync("xxx", { partition: "id:N" }).putSync({ id: 1 }); })();
    for (let i = 0; i < 200; i++) {
      gc();
      await new Promise((resolve) => setImmediate(resolve));
      try { (await open(path, { memoryBudgetBytes: 1 << 21 })).closeSync(); console.log("closed"); break; } catch (e) { if (i === 199) throw e; }
    }`;
  const done = spawnSync(process.execPath, ["--expose-gc", ...script(code)], { cwd: new URL(".", import.meta.url), encoding: "utf8", timeout: 60_000 });
  assert.equal(done.stdout, "closed\n", done.stderr);
});

test("import and require give the same classes", () => {
  const required = createRequire(import.meta.url)("stator");
  const names = (module) => Object.keys(module).filter((name) => !["default", "module.exports", "__esModule"].includes(name)).sort();
  assert.deepEqual(names(required), names(stator));
  assert.ok(names(stator).length > 30);
  for (const name of Object.keys(required)) assert.equal(required[name], stator[name], name);
});
