// Every type of value, in and out. node items.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const things = await db.table("things", { partition: "id:S" });

await things.put({
  id: "a",
  text: "grüezi",
  count: 42,
  price: 9.99,
  big: 12345678901234567890n,
  open: true,
  nothing: null,
  bytes: new Uint8Array([1, 2, 3]),
  tags: new Set(["red", "green"]),
  sizes: new Set([38, 40]),
  list: [1, "two", [3]],
  map: { deep: { deeper: "yes" } },
});

const item = await things.get("a");
console.log(item.text, item.count, item.price, item.big, item.open, item.nothing); // → grüezi 42 9.99 12345678901234567890n true null
console.log(item.bytes); // → Uint8Array(3) [ 1, 2, 3 ]
console.log(item.tags, item.sizes); // → Set(2) { 'green', 'red' } Set(2) { 38, 40 }
console.log(item.list, item.map.deep); // → [ 1, 'two', [ 3 ] ] { deeper: 'yes' }
console.log(await things.get("b")); // → undefined

const old = await things.put({ id: "a", text: "new" }, { returnOld: true });
console.log(old.text); // → grüezi
console.log(await things.delete("a", { returnOld: true })); // → { id: 'a', text: 'new' }
await db.close();
