// The package under require(). node commonjs.cjs [FOLDER]
const { openSync } = require("stator");

const db = openSync(process.argv[2] ?? ":memory:");
const notes = db.tableSync("notes", { partition: "id:S" });
notes.putSync({ id: "a" });
console.log(notes.getSync("a")); // → { id: 'a' }
db.closeSync();
