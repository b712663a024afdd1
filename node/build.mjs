// Builds the package in place: build.mjs [deps] [ts] [native]; all of it without arguments.
//   deps    npm ci, unless node_modules is what package-lock.json says
//   ts      src/ to dist/
//   native  native/ and the engine to prebuilds/PLATFORM-ARCH/stator.node, by way of build/node or $STATOR_NODE_BUILD;
//           STATOR_ZSTD=static makes it need libzstd.a, as a release does
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const isWanted = (step) => wanted.length === 0 || wanted.includes(step);

function run(command, ...words) {
  const done = spawnSync(command, words, { cwd: here, stdio: "inherit" });
  if (done.status !== 0) {
    console.error(`build.mjs: ${command} failed${done.error ? `: ${done.error.message}` : ""}`);
    process.exit(1);
  }
}

function deps() {
  const stamp = join(here, "node_modules/.stamp");
  const lock = createHash("sha256").update(readFileSync(join(here, "package-lock.json"))).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
  writeFileSync(stamp, lock);
}

function typescript() {
  rmSync(join(here, "dist"), { recursive: true, force: true });
  run(process.execPath, "node_modules/typescript/bin/tsc", "-p", "tsconfig.json");
  copyFileSync(join(here, "src/package.json"), join(here, "dist/package.json"));
}

function native() {
  const build = process.env.STATOR_NODE_BUILD ?? join(here, "../build/node");
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  const target = `${process.platform}-${process.arch}${process.platform === "linux" && !glibc ? "-musl" : ""}`;
  const options = [`-DSTATOR_WERROR=${process.env.STATOR_WERROR ?? "OFF"}`, `-DSTATOR_ZSTD=${process.env.STATOR_ZSTD ?? "auto"}`];
  run("cmake", "-S", "native", "-B", build, "-DCMAKE_BUILD_TYPE=Release", ...options);
  run("cmake", "--build", build, "-j", String(Math.min(2, availableParallelism())));
  const folder = join(here, "prebuilds", target);
  mkdirSync(folder, { recursive: true });
  // Renamed into place: a process that has the old binary loaded keeps it.
  const fresh = join(folder, `stator.node.${process.pid}`);
  copyFileSync(join(build, "stator.node"), fresh);
  renameSync(fresh, join(folder, "stator.node"));
  copyFileSync(join(here, "../LICENSE"), join(here, "LICENSE"));
}

if (isWanted("deps")) deps();
if (isWanted("ts")) typescript();
if (isWanted("native")) native();
