// Keys as objects, as values in the order of the schema, or as the one value. node keys.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const movies = await db.table("movies", { partition: "title:S", sort: "year:N" });
await movies.put({ title: "Alien", year: 1979 });

console.log(await movies.get({ title: "Alien", year: 1979 })); // → { title: 'Alien', year: 1979 }
console.log(await movies.get(["Alien", 1979])); // → { title: 'Alien', year: 1979 }

const users = await db.table("users", { partition: "id:N" });
await users.put({ id: 7, name: "Ripley" });
console.log(await users.get(7)); // → { id: 7, name: 'Ripley' }
await db.close();
