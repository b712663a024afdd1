#!/usr/bin/env python3
"""Chooses the inputs that a corpus folder keeps: fuzz_choose.py CONTROL_FILE FOLDER

CONTROL_FILE is what libFuzzer leaves with -set_cover_merge and -merge_control_file: for each input the features that it
reaches. A feature is an edge of the program with one of eight classes of how often it was taken. The inputs are taken greedily, by what each adds for its size: first until all edges are reached, then
for further features, up to 60 files and 16 KiB. Files named regression-* stay whatever they reach. Names are hashes of the content.
"""
import hashlib
import os
import sys

FILES_MAX = 60
BYTES_MAX = 16 * 1024
BUCKETS = 8
OVERHEADS = (64, 512, 4096)  # what a file costs beside its bytes: which price chooses best differs from target to target


class Input:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.content = file.read()
        self.is_regression = os.path.basename(path).startswith("regression-")
        self.name = os.path.basename(path) if self.is_regression else hashlib.sha1(self.content).hexdigest()[:16]
        self.features = frozenset()
        self.edges = frozenset()


def read_control(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    count = int(lines[0])
    inputs = [Input(line) for line in lines[2:2 + count]]
    for line in lines[2 + count:]:
        words = line.split()
        if words[0] == "FT":
            entry = inputs[int(words[1])]
            entry.features = frozenset(int(word) for word in words[2:])
            entry.edges = frozenset(feature // BUCKETS for feature in entry.features)
    return inputs


def reached(inputs, kind):
    return set().union(*(getattr(entry, kind) for entry in inputs))


def choose(inputs, overhead):
    chosen = {entry.content: entry for entry in inputs if entry.is_regression}
    left = {entry.content: entry for entry in inputs if entry.content not in chosen}
    for kind in ("edges", "features"):
        seen = reached(chosen.values(), kind)
        while len(chosen) < FILES_MAX:
            room = BYTES_MAX - sum(map(len, chosen))
            best = max((entry for entry in left.values() if len(entry.content) <= room), default=None,
                       key=lambda entry: (len(getattr(entry, kind) - seen) / (len(entry.content) + overhead),
                                          entry.name))
            if best is None or not getattr(best, kind) - seen:
                break
            seen |= getattr(best, kind)
            chosen[best.content] = left.pop(best.content)
    return list(chosen.values())


def main():
    control, folder = sys.argv[1:]
    inputs = read_control(control)
    chosen = max((choose(inputs, overhead) for overhead in OVERHEADS),
                 key=lambda chosen: (len(reached(chosen, "edges")), len(reached(chosen, "features"))))
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    for entry in chosen:
        with open(os.path.join(folder, entry.name), "wb") as file:
            file.write(entry.content)
    everything, kept = reached(inputs, "edges"), reached(chosen, "edges")
    print("%-20s %3d of %5d inputs, %6d bytes, %5d of %5d edges" % (
        os.path.basename(folder), len(chosen), len(inputs), sum(len(entry.content) for entry in chosen), len(kept),
        len(everything)))


if __name__ == "__main__":
    main()
