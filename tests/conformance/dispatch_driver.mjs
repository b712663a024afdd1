// Answers requests of the JSON protocol from standard input through the Node package: see dispatch_driver.c.
// Usage: dispatch_driver.mjs PACKAGE
import { createRequire } from "node:module";

const stator = createRequire(import.meta.url)(process.argv[2]);
let db;
let rest = Buffer.alloc(0);

async function answer(line) {
  const tab = line.indexOf(9);
  const operation = line.subarray(0, tab < 0 ? line.length : tab).toString();
  if (operation === "!new") {
    if (db) await db.close();
    db = await stator.open(":memory:");
    return [0, ""];
  }
  if (operation.startsWith("!clock ")) {
    await db.moveClock(Number(operation.slice(7)) / 1000);
    return [0, ""];
  }
  const { status, body } = await db.dispatch(operation, tab < 0 ? "" : new Uint8Array(line.subarray(tab + 1)));
  return [status, body];
}

for await (const piece of process.stdin) {
  rest = Buffer.concat([rest, piece]);
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    const line = rest.subarray(0, end);
    rest = rest.subarray(end + 1);
    const [status, body] = await answer(line);
    process.stdout.write(`${status}\t${body}\n`);
  }
}
if (db) await db.close();
