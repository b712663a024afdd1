// Queries: conditions, order, limits, resuming, one moment. node query.mjs [FOLDER]
import { beginsWith, between, eq, ge, gt, le, lt, open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const log = await db.table("log", { partition: "host:S", sort: "at:N" });
const batch = db.batch();
for (let at = 1; at <= 9; at++) batch.put(log, { host: "web", at });
await batch.write();

const times = async (options) => (await log.query("web", options).toArray()).map((entry) => entry.at).join(" ");
console.log(await times()); // → 1 2 3 4 5 6 7 8 9
console.log(await times({ sort: eq(3) })); // → 3
console.log(await times({ sort: lt(3) })); // → 1 2
console.log(await times({ sort: le(3) })); // → 1 2 3
console.log(await times({ sort: gt(7) })); // → 8 9
console.log(await times({ sort: ge(7) })); // → 7 8 9
console.log(await times({ sort: between(4, 6) })); // → 4 5 6
console.log(await times({ reverse: true, limit: 3 })); // → 9 8 7

const first = log.query("web", { limit: 4 });
console.log((await first.toArray()).length); // → 4
console.log(await times({ startAfter: first.lastKey })); // → 5 6 7 8 9

const files = await db.table("files", { partition: "disk:S", sort: "path:S" });
await files.put({ disk: "c", path: "usr/bin" });
await files.put({ disk: "c", path: "var/log" });
for await (const file of files.query("c", { sort: beginsWith("usr/") })) console.log(file.path); // → usr/bin

let seen = 0;
for await (const entry of log.query("web", { snapshot: true, pageSize: 2 })) {
  await log.put({ host: "web", at: entry.at + 100 }); // comes later, stays unseen
  seen++;
}
console.log(seen); // → 9
for (const entry of log.query("web", { sort: gt(100) }).iterateSync()) log.deleteSync(["web", entry.at]);
await db.close();
