"""The npm package as a user gets it: packed, installed into an empty folder with scripts off, imported, required and typed."""

import json
import os
import platform
import subprocess
import tarfile
from pathlib import Path

import pytest

from zstd_files import codecs, foreign_libraries, opens_zstd, without_zstd

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node"
ENV = dict(os.environ, STATOR_ZSTD="static", npm_config_audit="false", npm_config_fund="false", npm_config_update_notifier="false")

PROGRAM = """
const db = await open(process.argv[2]);
const movies = await db.table("movies", { partition: "title:S", sort: "year:N" });
await movies.put({ title: "Alien", year: 1979 });
for await (const m of movies.query("Alien", { sort: ge(1970), limit: 10 })) console.log(m.year);
await db.compact();
await db.close();
"""

COMPRESSIBLE = """
import { open } from "stator";
const db = await open(process.argv[2], { durability: "none" });
const items = await db.table("items", { partition: "id:N" });
for (let id = 0; id < 2000; id++) await items.put({ id, text: "x".repeat(400) });
await db.compact();
let count = 0;
for await (const _ of items.scan()) count++;
console.log(count);
await db.close();
"""


def run(*words, cwd, **options):
    done = subprocess.run(words, cwd=cwd, env=ENV, capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    run("node", "build.mjs", cwd=NODE)
    folder = tmp_path_factory.mktemp("pack")
    run("npm", "pack", "--ignore-scripts", "--pack-destination", str(folder), cwd=NODE)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(archive, tmp_path_factory):
    """An empty folder with the package; nothing is fetched, for it depends on nothing."""
    folder = tmp_path_factory.mktemp("user with spaces")
    (folder / "package.json").write_text('{ "name": "user", "private": true }')
    run("npm", "install", "--ignore-scripts", "--offline", str(archive), cwd=folder)
    return folder


def test_the_archive_holds_what_users_need_and_nothing_else(archive):
    with tarfile.open(archive) as files:
        names = [name.removeprefix("package/") for name in files.getnames()]
    for name in ("package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.mjs", "dist/index.d.ts", "dist/index.d.mts"):
        assert name in names
    assert [name for name in names if name.endswith(".node")]
    strangers = [name for name in names if not name.startswith(("dist/", "prebuilds/"))]
    assert sorted(strangers) == ["LICENSE", "README.md", "package.json"]
    assert archive.stat().st_size < 4 << 20


def test_no_script_runs_when_it_is_installed(archive):
    with tarfile.open(archive) as files:
        manifest = json.load(files.extractfile("package/package.json"))
    assert not {"preinstall", "install", "postinstall", "prepare"} & set(manifest["scripts"])
    assert manifest["gypfile"] is False
    assert not manifest.get("dependencies")


def test_it_runs_under_import_twice_on_one_directory(installed, tmp_path):
    (installed / "program.mjs").write_text('import { ge, open } from "stator";' + PROGRAM)
    for _ in range(2):
        assert run("node", "program.mjs", str(tmp_path / "shop"), cwd=installed) == "1979\n"


def test_it_runs_under_require(installed, tmp_path):
    program = 'const { ge, open } = require("stator"); (async () => {' + PROGRAM + "})();"
    (installed / "program.cjs").write_text(program)
    assert run("node", "program.cjs", str(tmp_path / "shop"), cwd=installed) == "1979\n"


@pytest.mark.parametrize("kind", ["mts", "cts"])
def test_typescript_finds_the_types(installed, kind):
    source = installed / ("typed." + kind)
    source.write_text(
        'import { open, ge, type Item, type Table, NumberValue, ValidationException } from "stator";\n'
        "interface Movie { title: string; year: number }\n"
        "export async function main(): Promise<void> {\n"
        '  const db = await open("x", { numbers: "auto", durability: "sync" });\n'
        '  const movies: Table<Movie> = await db.table<Movie>("movies", { partition: "title:S", sort: "year:N" });\n'
        '  await movies.put({ title: "Alien", year: 1979 });\n'
        '  const m: Movie | undefined = await movies.get(["Alien", 1979]);\n'
        '  for await (const each of movies.query("Alien", { sort: ge(1970) })) each.year.toFixed();\n'
        '  const plain: Item | undefined = (await db.openTable("x")).getSync(new NumberValue("1"));\n'
        "  try { await db.close(); } catch (e) { if (e instanceof ValidationException) e.retryable; }\n"
        "  void m; void plain;\n"
        "}\n"
        "// @ts-expect-error a key without its type\n"
        'export const wrong = (db: Awaited<ReturnType<typeof open>>) => db.table("x", { partition: "title" });\n'
    )
    words = ["--noEmit", "--strict", "--module", "node16", "--moduleResolution", "node16", "--target", "es2022"]
    run("node", str(NODE / "node_modules/typescript/bin/tsc"), *words, source.name, cwd=installed)


@pytest.mark.skipif(platform.system() != "Linux", reason="nm -D reads ELF")
def test_the_binary_exports_its_entry_points_alone(installed):
    (binary,) = (installed / "node_modules/stator/prebuilds").glob("*/stator.node")
    lines = run("nm", "-D", "--defined-only", str(binary), cwd=installed).splitlines()
    assert sorted(line.split()[-1] for line in lines) == ["napi_register_module_v1", "node_api_module_get_api_version_v1"]


@pytest.mark.skipif(platform.system() != "Linux", reason="readelf reads ELF")
def test_the_binary_needs_no_library_but_those_of_the_system(installed):
    (binary,) = (installed / "node_modules/stator/prebuilds").glob("*/stator.node")
    assert foreign_libraries(binary) == []
    assert not opens_zstd(binary)


@pytest.mark.skipif(platform.system() != "Linux", reason="the loader is told where to look")
def test_it_compresses_where_there_is_no_zstd(installed, tmp_path):
    (installed / "compress.mjs").write_text(COMPRESSIBLE)
    done = subprocess.run(["node", "compress.mjs", str(tmp_path / "db")], cwd=installed, env=without_zstd(tmp_path), capture_output=True,
                          text=True, timeout=600)
    assert (done.stdout, done.stderr) == ("2000\n", "")
    assert codecs(tmp_path / "db") == {"zstd"}
