// Transactions: all or nothing, over any tables, and safe to repeat. node transactions.mjs [FOLDER]
import { open, TransactionCanceledException } from "stator";

const db = await open(process.argv[2] ?? ":memory:");
const accounts = await db.table("accounts", { partition: "id:S" });
await accounts.put({ id: "a", balance: 100 });
await accounts.put({ id: "b", balance: 0 });

const transfer = (amount) => [
  { table: accounts, update: "a", expression: "SET balance = balance - :n", condition: "balance >= :n", values: { ":n": amount } },
  { table: accounts, update: "b", expression: "ADD balance :n", values: { ":n": amount } },
  { table: accounts, put: { id: "last" } },
  { table: accounts, delete: "draft" },
  { table: accounts, check: "frozen", condition: "attribute_not_exists(id)" },
];
const token = `order-${Date.now()}`;
await db.transactWrite(transfer(30), { token });
db.transactWriteSync(transfer(30), { token }); // again: changes nothing

try {
  await db.transactWrite(transfer(500));
} catch (error) {
  if (!(error instanceof TransactionCanceledException)) throw error;
  console.log(error.reasons[0].code, error.reasons[1].code); // → CONDITION_FAILED undefined
}

const [a, b, missing] = await db.transactGet([{ table: accounts, key: "a" }, { table: accounts, key: "b" }, { table: accounts, key: "c" }]);
console.log(a.balance, b.balance, missing); // → 70 30 undefined
console.log(db.transactGetSync([{ table: accounts, key: "b", projection: "balance" }])); // → [ { balance: 30 } ]
await db.close();
