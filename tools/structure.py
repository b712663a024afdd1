#!/usr/bin/env python3
"""The house in figures: structure.py prints sizes and arrows, structure.py --write draws the picture in docs/architecture.md."""
import argparse
import collections
import os
import statistics
import sys

from tidylib.rules_rooms import PAGE, arrows, drawn, picture
from tidylib.source import CODE_SUFFIXES, Tree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def sizes(files):
    """(files, lines, median lines, (lines, path) of the longest)"""
    lengths = [(len(file.lines), file.path) for file in files]
    return len(files), sum(length for length, _ in lengths), int(statistics.median(length for length, _ in lengths)), max(lengths)


def show(tree):
    print("%-12s %5s %7s %6s  %s" % ("", "files", "lines", "median", "longest"))
    groups = collections.defaultdict(list)
    for file in tree.select(CODE_SUFFIXES):
        groups["core/" + file.room if file.room else file.top if "/" in file.path else "."].append(file)
    for name, files in sorted(groups.items()):
        count, lines, median, (longest, path) = sizes(files)
        print("%-12s %5d %7d %6d  %d %s" % (name, count, lines, median, longest, path))
    count, lines, median, (longest, path) = sizes(tree.select(CODE_SUFFIXES))
    print("%-12s %5d %7d %6d  %d %s" % ("all", count, lines, median, longest, path))
    functions = [(function.last_line - function.first_line + 1, "%s in %s" % (function.name, file.path))
                 for file in tree.select(("c", "h"), ("core", "ffi", "apps")) for function in file.functions]
    print("\n%d functions of C outside tests, median %d lines, longest %d: %s" % (
        len(functions), statistics.median(length for length, _ in functions), *max(functions)))
    print("\nincludes between rooms:")
    for (room, other), number in sorted(arrows(tree).items()):
        print("%8s -> %-8s %4d" % (room, other, number))
    print("\n" + picture(tree), end="")


def main(arguments):
    parser = argparse.ArgumentParser(description="The house in figures.")
    parser.add_argument("--write", action="store_true", help="draw the picture in " + PAGE)
    options = parser.parse_args(arguments)
    tree = Tree(ROOT)
    if not options.write:
        show(tree)
        return 0
    page = os.path.join(ROOT, PAGE)
    with open(page, encoding="utf-8") as file:
        text = drawn(file.read(), tree)
    if text is None:
        print("structure.py: %s has no place for the picture" % PAGE)
        return 1
    with open(page, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
