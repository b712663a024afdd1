// Numbers are exact decimals; nothing is lost without a word. node numbers.mjs [FOLDER]
import { NumberValue, open } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const accounts = await db.table("accounts", { partition: "id:S" });
await accounts.put({ id: "a", small: 0.1, id64: 9007199254740993n, exact: new NumberValue("3.14159265358979323846") });

const a = await accounts.get("a");
console.log(a.small + 1, a.id64 + 1n, a.exact); // → 1.1 9007199254740994n NumberValue(3.14159265358979323846)
try {
  console.log(a.exact * 2);
} catch (error) {
  console.log(error.name); // → TypeError
}
console.log((await accounts.get("a", { numbers: "number" })).id64); // → 9007199254740992
console.log((await accounts.get("a", { numbers: "value" })).small.value); // → 0.1
await db.close();
