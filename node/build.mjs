// Builds the package in place: build.mjs [ts] [native]. TypeScript goes to dist/, the binary to prebuilds/PLATFORM-ARCH/.
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);

function run(command, ...words) {
  const done = spawnSync(command, words, { cwd: here, stdio: "inherit" });
  if (done.status !== 0) {
    console.error(`build.mjs: ${command} failed${done.error ? `: ${done.error.message}` : ""}`);
    process.exit(1);
  }
}

if (wanted.length === 0 || wanted.includes("ts")) {
  rmSync(join(here, "dist"), { recursive: true, force: true });
  run(process.execPath, join(here, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.json");
  copyFileSync(join(here, "src/package.json"), join(here, "dist/package.json"));
}

if (wanted.length === 0 || wanted.includes("native")) {
  const build = process.env.STATOR_NODE_BUILD ?? join(here, "../build/node");
  const glibc = process.report?.getReport().header.glibcVersionRuntime;
  const target = `${process.platform}-${process.arch}${process.platform === "linux" && !glibc ? "-musl" : ""}`;
  run("cmake", "-S", "native", "-B", build, "-DCMAKE_BUILD_TYPE=Release");
  run("cmake", "--build", build, "-j", String(Math.min(2, availableParallelism())));
  const folder = join(here, "prebuilds", target);
  mkdirSync(folder, { recursive: true });
  // Renamed into place: a process that has the old binary loaded keeps it.
  const fresh = join(folder, `stator.node.${process.pid}`);
  cpSync(join(build, "stator.node"), fresh);
  renameSync(fresh, join(folder, "stator.node"));
  if (!existsSync(join(here, "LICENSE"))) copyFileSync(join(here, "../LICENSE"), join(here, "LICENSE"));
}
