// Tables: made, opened, listed, deleted. node tables.mjs [FOLDER]
import { open, ResourceInUseException, ResourceNotFoundException } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const films = await db.createTable("films", { partition: "title:S", sort: "year:N" });
console.log(films.name, films.keys.map((key) => `${key.name}:${key.type}`)); // → films [ 'title:S', 'year:N' ]
console.log(films.created instanceof Date); // → true

try {
  await db.createTable("films", { partition: "title:S" });
} catch (error) {
  console.log(error instanceof ResourceInUseException); // → true
}
console.log((await db.openTable("films")).keys.length); // → 2
console.log((await db.tables()).includes("films")); // → true

await db.deleteTable("films");
try {
  await films.get(["Alien", 1979]);
} catch (error) {
  console.log(error instanceof ResourceNotFoundException); // → true
}
await db.close();
