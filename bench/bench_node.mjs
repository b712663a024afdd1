// Node's cost of one put and one get, by the calls on the calling thread: an item in memory, no sync. Prints a row each, as
// bench.c does.
import assert from "node:assert";
import { createRequire } from "node:module";

const require = createRequire(new URL("../node/package.json", import.meta.url));
const { openSync } = require("stator");
const { version } = require("../node/package.json");
const ops = 20000;
const v = new Uint8Array(100).fill(118);
const db = openSync(":memory:", { durability: "none" });
const table = db.tableSync("bench", { partition: "p:S", sort: "s:N" });

function measure(workload, run) {
  for (let i = 0; i < ops / 4; i++) run(i);
  const from = process.hrtime.bigint();
  for (let i = 0; i < ops; i++) run(i);
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  console.log(JSON.stringify({
    bench: "languages", workload, engine: `stator ${version}`, layer: "node", threads: 1, item_bytes: 111, durability: "none",
    ops, seconds, rss_bytes: process.memoryUsage().rss,
  }));
}

measure("put", (i) => table.putSync({ p: "p000123", s: i % 1000, v }));
assert.deepStrictEqual(table.getSync(["p000123", 7]).v.length, 100);
measure("get", (i) => table.getSync(["p000123", i % 1000]));
db.closeSync();
