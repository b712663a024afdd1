// A signal abandons the wait, never the write. node abort.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const notes = await db.table("notes", { partition: "id:S" });
const control = new AbortController();
const write = notes.put({ id: "a" }, { signal: control.signal });
control.abort();
try {
  await write;
} catch (error) {
  console.log(error.name, error.maybeApplied); // → AbortError true
}
await db.close();
