// All or nothing over several tables, and many reads in one call. node batch.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const orders = await db.table("orders", { partition: "id:N" });
const stock = await db.table("stock", { partition: "sku:S" });

const batch = db.batch();
batch.put(orders, { id: 1, sku: "lamp" });
batch.put(stock, { sku: "lamp", left: 4 });
batch.delete(stock, "sofa");
console.log(batch.size); // → 3
await batch.write();

console.log(await orders.batchGet([1, 2])); // → [ { id: 1, sku: 'lamp' }, undefined ]
console.log(stock.batchGetSync(["lamp"])); // → [ { left: 4, sku: 'lamp' } ]
await db.close();
