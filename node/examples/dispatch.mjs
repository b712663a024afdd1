// The DynamoDB JSON protocol without a socket. node dispatch.mjs [FOLDER]
import { open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const answer = await db.dispatch("DynamoDB_20120810.Fly", "{}", { region: "eu-west-2" }); // the region that ARNs name
console.log(answer.status, answer.body); // → 400 {"__type":"com.amazon.coral.service#UnknownOperationException"}
console.log(db.dispatchSync("ListTables", '{"Limit": ').body); // → {"__type":"com.amazon.coral.service#SerializationException"}

// For tests: a day passes. What has expired by then is gone.
await db.moveClock(24 * 3600 * 1000);
db.moveClockSync(0);
await db.close();
