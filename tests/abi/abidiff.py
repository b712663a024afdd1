#!/usr/bin/env python3
"""The gate of the ABI: compares a built library with the last release: abidiff.py LIBRARY.

tests/abi/*.abi are descriptions of released libraries, written by abidw (libabigail) and committed with the release:

    abidw --no-corpus-path --headers-dir ffi/include --drop-private-types --out-file tests/abi/1.0.0.abi libstator.so

The newest one is what the library is held against. Additions pass; anything that programs compiled against the
release could notice fails. Without a release, or without abidiff, it says so and passes: there is nothing to compare.
"""
import os
import re
import shutil
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
HEADERS = os.path.join(os.path.dirname(os.path.dirname(FOLDER)), "ffi", "include")
# Bits of abidiff's exit status: 1 and 2 say that it could not compare, 4 that something changed, 8 that it is incompatible.
UNABLE, CHANGED, INCOMPATIBLE = 3, 4, 8


def version(name):
    return [int(number) for number in re.findall(r"\d+", name)]


def newest(folder):
    names = sorted((name for name in os.listdir(folder) if name.endswith(".abi")), key=version)
    return os.path.join(folder, names[-1]) if names else None


def judge(status, report):
    """Exit status and text for what abidiff said."""
    if status & UNABLE:
        return 2, "abidiff could not compare:\n" + report
    if status & INCOMPATIBLE or (status & CHANGED and breaks(report)):
        return 1, "the ABI is not that of the last release:\n" + report
    return 0, "compatible with the last release" + (", with additions" if status & CHANGED else "")


def breaks(report):
    """Whether the summaries count anything but additions."""
    counts = re.findall(r"(\d+) (Removed|Changed)", report)
    return any(int(count) > 0 for count, _ in counts)


def main(arguments, folder=FOLDER):
    if len(arguments) != 1:
        print(__doc__.strip().split("\n")[0])
        return 2
    before = newest(folder)
    if before is None:
        print("no release to compare with")
        return 0
    if shutil.which("abidiff") is None:
        print("abidiff is not installed (package abigail-tools): not compared with %s" % os.path.basename(before))
        return 0
    done = subprocess.run(["abidiff", "--headers-dir2", HEADERS, before, arguments[0]], capture_output=True, text=True)
    status, text = judge(done.returncode, done.stdout + done.stderr)
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
