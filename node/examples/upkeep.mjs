// Flushing, compacting, checking, counting. node upkeep.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:", { durability: "interval", memoryBudgetBytes: 16 << 20 });
const points = await db.table("points", { partition: "id:N" });
for (let id = 0; id < 1000; id++) points.put({ id });
await points.put({ id: 1000 }, { durability: "sync" });
await db.flush();
await db.compact();
console.log((await db.verify()).length > 0); // → true
const stats = await db.stats();
console.log(stats.tableCount >= 1, stats.flushes >= 1, stats.levels.length); // → true true 7
await db.close();
