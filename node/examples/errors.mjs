// Errors are named as the SDK's, and say what may be done. node errors.mjs [FOLDER]
import { open, StatorError } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const movies = await db.table("movies", { partition: "title:S", sort: "year:N" });
try {
  await movies.put({ title: "Alien" });
} catch (error) {
  console.log(error.name, error.code, error.retryable, error.maybeApplied); // → ValidationException INVALID_ARGUMENT false false
  console.log(error instanceof StatorError); // → true
}
try {
  await movies.put({ title: "Alien", year: 1979, cast: { first: undefined } });
} catch (error) {
  console.log(error.message); // → attribute cast.first: undefined cannot be stored (removeUndefined leaves such attributes out)
}
await db.close();
