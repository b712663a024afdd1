"""The main job on real data, step by step, as `make quickstart` shows it.

Loads Debian's lists of languages and subdivisions (and the films of ../shared/data when they are there), queries them from the
shell, Python, Go and Node with the same answer, kills a writer, and checks that nothing acknowledged is lost.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODES = Path("/usr/share/iso-codes/json")
FILMS = ROOT.parent / "shared/data/aws-samples/movies.json"
WRITES = 500


class Failed(Exception):
    pass


def run(words, show=True, **options):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise Failed(f"{words[0]} {words[1]} ended with {done.returncode}")
    if show:
        print("".join("    " + line + "\n" for line in done.stdout.splitlines()[:8]), end="")
        more = len(done.stdout.splitlines()) - 8
        if more > 0:
            print(f"    ... {more} more lines")
    return done.stdout


def step(text):
    print(f"\n== {text}", flush=True)


def load(cli, db):
    lists = [("languages", "scope:S", "name:S", CODES / "iso_639-3.json"), ("subdivisions", "type:S", "code:S", CODES / "iso_3166-2.json")]
    if FILMS.exists():
        lists.append(("movies", "title:S", "year:N", FILMS))
    for table, partition, sort, path in lists:
        step(f"stator import {db.name} {table} {path.name}")
        run([cli, "create", db, table, "--partition", partition, "--sort", sort])
        run([cli, "import", db, table, path])


def ask(cli, db):
    step("three queries and a parallel scan from the shell")
    run([cli, "query", db, "languages", "I", "--sort", "begins_with Swiss", "-o", "table"])
    run([cli, "query", db, "subdivisions", "Canton", "--limit", "3", "--reverse", "-o", "table"])
    run([cli, "query", db, "subdivisions", "Emirate", "-o", "dynamodb-json"])
    scanned = run([cli, "scan", db, "subdivisions", "--segments", "4", "-o", "json"], show=False)
    print(f"    scan of 4 segments: {len(scanned.splitlines())} items")


def compare(db, options):
    step("the same query from Python, Go and Node")
    here = Path(__file__).parent
    answers = {
        "Python": run([options.python, here / "query.py", db], show=False),
        "Go": run([options.go, db], show=False),
        "Node": run([options.node, here / "query.mjs", db, options.node_package], show=False),
    }
    first = answers["Python"]
    if not first or any(answer != first for answer in answers.values()):
        raise Failed(f"the answers differ: {answers}")
    print("".join("    " + line + "\n" for line in first.splitlines()[:3]), end="")
    print(f"    {len(first.splitlines())} items, byte for byte the same in {', '.join(answers)}")


def kill_a_writer(cli, db, options):
    step(f"kill -9 a writer after {WRITES} acknowledged writes, reopen, look for every one")
    writer = subprocess.Popen([options.python, str(Path(__file__).parent / "writer.py"), str(db)], stdout=subprocess.PIPE, text=True)
    told = -1
    for line in writer.stdout:
        told = int(line)
        if told == WRITES:
            os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    if told < WRITES:
        raise Failed("the writer ended by itself")
    check = (
        "import sys, stator\n"
        "with stator.open(sys.argv[1]) as db:\n"
        "    table = db.table('written')\n"
        "    lost = [i for i in range(int(sys.argv[2]) + 1) if table.get(i) != {'id': i, 'text': 'x' * (i % 400)}]\n"
        "    print(len(lost))\n"
    )
    lost = run([options.python, "-c", check, db, told], show=False).strip()
    if lost != "0":
        raise Failed(f"{lost} acknowledged writes are lost")
    print(f"    {told + 1} writes were acknowledged, {told + 1} are there")
    run([cli, "verify", db])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("cli", "python", "go", "node", "node-package"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    db = ROOT / "build/quickstart/shop.stator"
    shutil.rmtree(db, ignore_errors=True)
    db.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    try:
        load(options.cli, db)
        ask(options.cli, db)
        compare(db, options)
        kill_a_writer(options.cli, db, options)
    except Failed as error:
        print(f"\nquickstart failed: {error}")
        return 1
    size = sum(path.stat().st_size for path in db.iterdir())
    print(f"\nquickstart: all done in {time.monotonic() - begun:.1f} s; {db.relative_to(ROOT)} is {size / 1e6:.1f} MB")
    print(f"try next: build/release/bin/stator query {db.relative_to(ROOT)} languages I --sort 'begins_with Middle'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
