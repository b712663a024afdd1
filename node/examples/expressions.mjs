// Conditions, updates, indexes, filters. node expressions.mjs [FOLDER]
import { open, ge } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const movies = await db.table("movies", {
  partition: "title:S", sort: "year:N",
  globals: { by_stars: { partition: "stars:N", sort: "year:N" } }, local: { by_note: "note:S" },
  ttl: "expires", stream: "NEW_AND_OLD_IMAGES",
});
console.log(movies.indexes.length, movies.ttl, movies.stream); // → 2 expires NEW_AND_OLD_IMAGES
for (const [title, year, stars] of [["Alien", 1979, 5], ["Brazil", 1985, 5], ["Cats", 2019, 1]]) {
  await movies.put({ title, year, stars }, { returnOld: true });
}

// A condition that fails changes nothing; its error has the item that was in the way.
try {
  await movies.put({ title: "Alien", year: 1979 }, { condition: "attribute_not_exists(title)", returnOnFailure: true });
} catch (error) {
  console.log(error.name, error.item.stars); // → ConditionalCheckFailedException 5
}

const alien = ["Alien", 1979];
const whole = await movies.update(alien, "SET #n = :n", { names: { "#n": "note" }, values: { ":n": "a classic" }, returns: "ALL_NEW" });
console.log(whole.note); // → a classic
console.log(movies.updateSync(alien, "REMOVE note", { returns: "UPDATED_OLD" })); // → { note: 'a classic' }

for await (const m of movies.query(5, { index: "by_stars", sort: ge(1980) })) console.log(m.title); // → Brazil
const found = movies.query(undefined, {
  index: "by_stars", keyCondition: "stars = :five", filter: "begins_with(title, :a)", projection: "title",
  values: { ":five": 5, ":a": "A" },
});
console.log(await found.toArray()); // → [ { title: 'Alien' } ]
console.log(await movies.get(alien, { projection: "stars" })); // → { stars: 5 }
await db.close();
