// Scans, whole and in parts. node scan.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const points = await db.table("points", { partition: "id:N" });
for (let id = 0; id < 100; id++) points.putSync({ id }, { durability: "none" });

let count = 0;
for await (const _ of points.scan({ pageSize: 10 })) count++;
console.log(count); // → 100

const parts = [0, 1, 2, 3].map((segment) => points.scan({ segment, segments: 4 }).toArray());
console.log((await Promise.all(parts)).flat().length); // → 100
await db.close();
