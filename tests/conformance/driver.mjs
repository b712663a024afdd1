// The conformance cases through Node; prints the count, or the first difference. Usage: driver.mjs CASES PACKAGE
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { isDeepStrictEqual } from "node:util";

const stator = createRequire(import.meta.url)(process.argv[3]);
const conditions = {
  "=": stator.eq, "<": stator.lt, "<=": stator.le, ">": stator.gt, ">=": stator.ge,
  between: stator.between, begins_with: stator.beginsWith,
};

function native(value) {
  const [[kind, content]] = Object.entries(value);
  const one = { N: (text) => new stator.NumberValue(text), B: (text) => new Uint8Array(Buffer.from(text, "base64")) };
  switch (kind) {
    case "M": return item(content);
    case "L": return content.map(native);
    case "SS": return new Set(content);
    case "NS": case "BS": return new Set(content.map(one[kind[0]]));
    case "NULL": return null;
    default: return one[kind] ? one[kind](content) : content;
  }
}

function item(content) {
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, native(value)]));
}

const parse = (text) => item(JSON.parse(text));

/** A form that is the same for what is the same: sets sorted, numbers and bytes as text, names sorted. */
function plain(value) {
  if (value instanceof stator.NumberValue) return `N ${value}`;
  if (value instanceof Uint8Array) return `B ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Set) return ["set", ...[...value].map(plain).sort()];
  if (Array.isArray(value)) return ["list", ...value.map(plain)];
  if (value === null || typeof value !== "object") return value;
  return Object.keys(value).sort().map((name) => [name, plain(value[name])]);
}

class Runner {
  constructor() {
    this.folder = mkdtempSync(`${tmpdir()}/stator-conformance-`);
  }

  async open() {
    this.db = await stator.open(`${this.folder}/db`, { durability: "none", numbers: "value" });
  }

  async close() {
    await this.db.close();
    rmSync(this.folder, { recursive: true });
  }

  async query(table, [partition, ...words]) {
    const options = {};
    while (words.length > 0) {
      const word = words.shift();
      if (word === "reverse") options.reverse = true;
      else if (word === "limit") options.limit = Number(words.shift());
      else options.sort = conditions[word](...words.splice(0, word === "between" ? 2 : 1).map((text) => native(JSON.parse(text))));
    }
    return await all(table.query(native(JSON.parse(partition)), options));
  }

  async run([op, name, ...words]) {
    const db = this.db;
    switch (op) {
      case "flush": case "compact": await db[op](); return [];
      case "reopen": await db.close(); await this.open(); return [];
      case "drop": await db.deleteTable(name); return [];
      case "table": await db.table(name, { partition: words[0], sort: words[1] }); return [];
    }
    const table = await db.openTable(name);
    switch (op) {
      case "query": return await this.query(table, words);
      case "scan": return await all(table.scan());
      case "batch-get": return await table.batchGet(words.map(parse));
      case "batch": {
        const batch = db.batch();
        for (let i = 0; i < words.length; i += 2) batch[words[i]](table, parse(words[i + 1]));
        await batch.write();
        return [];
      }
      case "put": case "delete": await table[op](parse(words[0])); return [];
      case "get": return [await table.get(parse(words[0]))];
      default: return [await table[op.replace("-old", "")](parse(words[0]), { returnOld: true })];
    }
  }
}

const all = async (items) => {
  const out = [];
  for await (const one of items) out.push(one);
  return out;
};

const lines = readFileSync(process.argv[2], "utf8").split("\n").filter((line) => line && line[0] !== "#").map((line) => line.split("\t"));
let runner, count = 0;
for (let at = 0; at < lines.length;) {
  const words = lines[at++];
  if (words[0] === "case") {
    await runner?.close();
    runner = new Runner();
    await runner.open();
    continue;
  }
  const wanted = [];
  let failure;
  for (; at < lines.length && ["=", "none", "error"].includes(lines[at][0]); at++) {
    if (lines[at][0] === "error") failure = lines[at];
    else wanted.push(lines[at][0] === "=" ? parse(lines[at][1]) : undefined);
  }
  let said;
  const got = (await runner.run(words).catch((error) => { said = error; return []; })).map(plain);
  const expected = wanted.map(plain);
  if (words[0] === "scan") [got, expected].forEach((list) => list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
  const fine = said ? failure && said.code === failure[1] && said.message.includes(failure[2]) : !failure && isDeepStrictEqual(got, expected);
  if (!fine) {
    console.log(`line ${at}: ${words.slice(0, 2)}: ${said?.code} ${said?.message} ${JSON.stringify(got)}; expected ${failure} ${JSON.stringify(expected)}`);
    process.exit(1);
  }
  count++;
}
await runner.close();
console.log(`${count} steps`);
