"""Runs an example twice on one folder: each time it prints what its comments say (run_example.py PROGRAM SOURCE).

A comment that begins with an arrow is one line of output, as in  puts("a"); /* -> a */  with the arrow as one character.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ARROW = re.compile(r"/\* \u2192 (.*?) \*/")


def expected(source):
    return [line.rstrip() for line in ARROW.findall(Path(source).read_text(encoding="utf-8"))]


def main(program, source):
    wanted = expected(source)
    if not wanted:
        print(f"{source} says of no line what it prints")
        return 1
    with tempfile.TemporaryDirectory(prefix="stator-example-") as folder:
        for turn in ("first", "second"):
            done = subprocess.run([program, folder + "/example.stator"], capture_output=True, text=True, timeout=100, cwd=folder)
            printed = [line.rstrip() for line in done.stdout.splitlines()]
            if done.returncode != 0 or printed != wanted:
                print(f"the {turn} run ended with {done.returncode}", "it printed", *printed, "and should have printed", *wanted,
                      done.stderr, sep="\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
