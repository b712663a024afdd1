// Every method has a twin that works on the calling thread. node sync.mjs [FOLDER]
import { openSync } from "stator";

const db = openSync(process.argv[2] ?? ":memory:");
try {
  const notes = db.tableSync("notes", { partition: "id:S" });
  notes.putSync({ id: "a", text: "milk" });
  console.log(notes.getSync("a").text); // → milk
  for (const note of notes.scan().iterateSync()) console.log(note.id); // → a
  db.batch().put(notes, { id: "b" }).delete(notes, "a").writeSync();
  console.log(notes.scan().toArraySync()); // → [ { id: 'b' } ]
  notes.deleteSync("b");

  db.createTableSync("drafts", { partition: "id:S" });
  console.log(db.tablesSync(), db.openTableSync("drafts").keys.length); // → [ 'drafts', 'notes' ] 1
  db.deleteTableSync("drafts");

  db.flushSync();
  db.compactSync();
  console.log(db.verifySync().length > 0, db.statsSync().tableCount); // → true 1
} finally {
  db.closeSync();
}
