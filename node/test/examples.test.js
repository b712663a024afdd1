// Each example runs twice on one folder and prints what its comments say.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { folder } from "./support.js";

const run = promisify(execFile);
const examples = new URL("../examples/", import.meta.url);

for (const name of readdirSync(examples)) {
  const path = fileURLToPath(new URL(name, examples));
  const expected = [...readFileSync(path, "utf8").matchAll(/\/\/ → (.*)$/gm)].map((match) => `${match[1]}\n`).join("");
  test(`the example ${name} prints what it says, twice on one folder`, async (t) => {
    const place = folder(t);
    assert.notEqual(expected, "");
    for (const round of ["first", "second"]) {
      const { stdout } = await run(process.execPath, [path, place]);
      assert.equal(stdout, expected, `${round} run`);
    }
  });
}

test("the first lines of the README are the example", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = readFileSync(new URL("first-lines.mjs", examples), "utf8").split("\n").slice(1).join("\n");
  const block = /```js\n(.*?)```/s.exec(readme)[1];
  const strip = (text) => text.replace(/process\.argv\[2\] \?\? /, "").replace(/\s*\/\/.*$/gm, "").trim();
  assert.equal(strip(block), strip(example));
});

test("every public call occurs in an example", () => {
  const code = readdirSync(examples).map((name) => readFileSync(new URL(name, examples), "utf8").replace(/\/\/.*$/gm, "")).join("\n");
  const calls = new Set();
  for (const part of ["database", "table", "query"]) {
    const types = readFileSync(new URL(`../dist/${part}.d.ts`, import.meta.url), "utf8");
    for (const [, name, constant] of types.matchAll(/^export declare (?:function (\w+)|const (\w+): \()/gm)) calls.add(name ?? constant);
    for (const [, name] of types.matchAll(/^    (?!constructor\b)(\w+)(?:<.*?>)?\(/gm)) calls.add(`.${name}`);
  }
  const missing = [...calls].filter((call) => !new RegExp(`${call[0] === "." ? "" : "(?<![.\\w])"}${call.replace(".", "\\.")}\\(`).test(code));
  assert.ok(calls.size > 40, `${calls.size}`);
  assert.deepEqual(missing, []);
});
