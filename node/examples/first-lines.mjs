// The first lines. node first-lines.mjs [FOLDER]
import { open, ge } from "stator";

const db = await open(process.argv[2] ?? "shop.stator");
try {
  const movies = await db.table("movies", { partition: "title:S", sort: "year:N" });
  await movies.put({ title: "Alien", year: 1979 });
  for await (const m of movies.query("Alien", { sort: ge(1970), limit: 10 })) console.log(m.year); // → 1979
} finally {
  await db.close();
}
