// Installs what building needs, builds and runs the tests: run.mjs [REPORT]. The report is JUnit.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const report = process.argv[2];

function run(...words) {
  const env = { ...process.env, STATOR_WERROR: "ON" };
  const done = spawnSync(process.execPath, words, { cwd: join(here, ".."), stdio: "inherit", env });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

run("build.mjs");
const files = readdirSync(here).filter((name) => name.endsWith(".test.js")).map((name) => join(here, name));
const reporter = report ? ["--test-reporter=junit", `--test-reporter-destination=${report}`] : ["--test-reporter=spec"];
run("--test", ...reporter, ...files);
