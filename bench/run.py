#!/usr/bin/env python3
"""Runs the benchmarks: run.py [--repeats N] [--out FILE] [--language COMMAND].

Every engine runs in a process of its own, in a fresh directory, one after the other, and that N times over, so that a
slow minute of the machine hits all of them. Of each workload the median over the repeats counts, field by field; the
rows go to FILE, one JSON object a line, and a table for people to standard output. Nothing here fails because of a time.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, "build", "release", "bin", "stator_bench")
FOLDER = os.path.join(ROOT, "build", "bench")
DATA = os.path.join(FOLDER, "data")
KEY = ("workload", "layer", "threads", "durability", "engine")


def rows_of(command):
    """The JSON lines a program prints; its failure ends everything."""
    shutil.rmtree(DATA, ignore_errors=True)
    os.makedirs(DATA)
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    shutil.rmtree(DATA)
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]


def median(rows):
    """One row of the medians of all numbers."""
    merged = dict(rows[0], repeats=len(rows))
    for field, value in rows[0].items():
        if isinstance(value, float) or field.endswith("_bytes"):
            merged[field] = statistics.median(row[field] for row in rows)
    return merged


def rate(row):
    return row["ops"] / row["seconds"]


def name(row):
    return row["engine"].split()[0] + ("" if row["layer"] in ("items", "bytes") else " " + row["layer"])


def table(rows):
    """A line for each workload and threads; Stator in operations a second, peers as the ratio to that."""
    peers = list(dict.fromkeys(name(row) for row in rows if row["bench"] == "peers"))
    lines = ["| workload | threads | " + " | ".join([peers[0] + ", a second"] + peers[1:]) + " |",
             "|---|---:|" + "---:|" * len(peers)]
    for key in dict.fromkeys((row["workload"], row["threads"]) for row in rows if row["bench"] == "peers"):
        here = {name(row): rate(row) for row in rows if (row["workload"], row["threads"]) == key}
        cells = ["{:,.0f}".format(here[peers[0]])] + ["%.2f" % (here[peer] / here[peers[0]]) for peer in peers[1:]]
        lines.append("| %s | %d | %s |" % (*key, " | ".join(cells)))
    return lines


def languages(rows):
    lines = ["", "| language | put, ns | get, ns |", "|---|---:|---:|"]
    for layer in dict.fromkeys(row["layer"] for row in rows if row["bench"] == "languages"):
        cost = {row["workload"]: 1e9 / rate(row) for row in rows if row["layer"] == layer}
        lines.append("| %s | %s | %s |" % (layer, *("{:,.0f}".format(cost[work]) for work in ("put", "get"))))
    return lines if len(lines) > 3 else []


def main(arguments):
    parser = argparse.ArgumentParser(description="Runs the benchmarks.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", default=os.path.join(FOLDER, "bench.jsonl"))
    parser.add_argument("--language", action="append", default=[], metavar="COMMAND",
                        help="a program that prints rows; it finds an empty directory in build/bench/data")
    options = parser.parse_args(arguments)
    os.makedirs(FOLDER, exist_ok=True)
    engines = subprocess.run([BENCH], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    commands = [[BENCH, engine, DATA] for engine in engines] + [command.split() for command in options.language]
    found = {}
    for repeat in range(options.repeats):
        for command in commands:
            print("repeat %d of %d: %s" % (repeat + 1, options.repeats, " ".join(command[:2])), file=sys.stderr)
            for row in rows_of(command):
                found.setdefault(tuple(row[field] for field in KEY), []).append(row)
    rows = [median(same) for same in found.values()]
    with open(options.out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    print("\n".join(table(rows) + languages(rows)))
    print("\nOther columns: operations a second, Stator = 1.00; above 1 the other is faster. All figures: "
          + os.path.relpath(options.out, ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
