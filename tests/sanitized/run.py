#!/usr/bin/env python3
"""Runs the tests of a package with its binary under the address and undefined-behaviour sanitizers: run.py python|node REPORT.

The interpreter is not built for them, so their library is loaded before it. Every process of the suite writes what the sanitizers
say into a folder of its own, and any file there is a failed case, whatever the test made of its process; leaks of the interpreter
are suppressed by name in python.supp and node.supp. Further cases prove that the net holds: the binary under test is instrumented,
and a leak and an overflow in a library beside it are told.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g1 -O1"
# With gcc 12 the search for leaks itself fails in a few processes of a suite; were it many, nothing would be searched.
UNSEARCHED = "LeakSanitizer has encountered a fatal error"
UNSEARCHED_MAX = 3
MADE = {"build", "dist", "prebuilds", "node_modules", "__pycache__"}
SEEDED = ROOT / "build/asan/lib/libseeded.so"


def run(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


class Python:
    """The package, installed from source into a folder that stands before the environment's own."""

    python = ROOT / "build/python-venv/bin/python"
    sources = ("core", "ffi", "python")
    # Every object in a block of its own, where the sanitizer sees its end and its second life.
    env = {"PYTHONMALLOC": "malloc"}

    def __init__(self, build):
        self.site = build / "site"
        self.env = {**self.env, "PYTHONPATH": str(self.site)}

    def build(self, build):
        shutil.rmtree(self.site, ignore_errors=True)
        run([self.python, "-m", "pip", "install", "--disable-pip-version-check", "-q", "--no-deps", "--target", self.site,
             "--config-settings=cmake.build-type=Debug", f"--config-settings=build-dir={build / 'cmake'}",
             "--config-settings=install.strip=false", f"--config-settings=cmake.define.CMAKE_C_FLAGS={FLAGS}", ROOT / "python"])

    def load(self):
        return [self.python, "-c", f"import stator; assert stator.__file__.startswith('{self.site}')"]

    def load_library(self, path):
        return [self.python, "-c", f"import ctypes; ctypes.CDLL('{path}')"]

    def tests(self, report):
        return [self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", ROOT / "python/tests"]


class Node:
    """A copy of the package with a binary of its own, built from the same sources."""

    sources = ("core", "ffi", "node")
    env = {}

    def __init__(self, build):
        self.package = build / "package"

    def build(self, build):
        node = ROOT / "node"
        run(["node", node / "build.mjs", "deps", "ts"])
        run(["cmake", "-S", node / "native", "-B", build / "cmake", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
             f"-DCMAKE_C_FLAGS={FLAGS}", f"-DCMAKE_CXX_FLAGS={FLAGS}"])
        run(["cmake", "--build", build / "cmake", "-j2"])
        shutil.rmtree(self.package, ignore_errors=True)
        shutil.copytree(node, self.package, ignore=shutil.ignore_patterns("node_modules", "prebuilds"))
        (self.package / "node_modules").symlink_to(node / "node_modules")
        for beside in ("core", "docs", "ffi"):  # where its tests look for them
            if not (build / beside).exists():
                (build / beside).symlink_to(ROOT / beside)
        target = self.package / "prebuilds" / run(["node", "-p", "`${process.platform}-${process.arch}`"]).strip()
        target.mkdir(parents=True)
        shutil.copy(build / "cmake/stator.node", target)

    def load(self):
        source = f"import {{ open }} from '{self.package / 'dist/index.mjs'}'; await (await open(':memory:')).close();"
        return ["node", "--input-type=module", "-e", source]

    def load_library(self, path):
        # It registers nothing, which node says after it was loaded.
        return ["node", "-e", f"try {{ process.dlopen({{ exports: {{}} }}, '{path}'); }} catch {{}}"]

    def tests(self, report):
        files = sorted(self.package.glob("test/*.test.js"))
        return ["node", "--test", "--test-reporter=junit", f"--test-reporter-destination={report}", *files]


def stamp(sources):
    sums = hashlib.sha256((FLAGS + Path(__file__).read_text() + platform.platform()).encode())
    for source in sources:
        for path in sorted((ROOT / source).rglob("*")):
            if path.is_file() and not MADE & set(path.relative_to(ROOT).parts):
                sums.update(str(path).encode() + path.read_bytes())
    return sums.hexdigest()


class Net:
    """The environment in which the sanitizers listen, and what they said."""

    def __init__(self, name, env, logs):
        self.logs = logs
        library = run(["gcc", "-print-file-name=libasan.so"]).strip()
        log = f"log_path={logs}/log"
        # What is told counts, not how the process ends.
        self.env = {**os.environ, **env, "LD_PRELOAD": library, "ASAN_OPTIONS": f"detect_leaks=1:exitcode=0:{log}",
                    "UBSAN_OPTIONS": f"print_stacktrace=1:{log}",
                    "LSAN_OPTIONS": f"print_suppressions=0:suppressions={HERE / name}.supp"}

    def run(self, words, **env):
        """(exit status, what was printed, what was told)."""
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        done = subprocess.run([str(word) for word in words], cwd=ROOT, env={**self.env, **env}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        print(done.stdout, end="")
        told = [path.read_text(errors="replace") for path in sorted(self.logs.iterdir())]
        unsearched = [text for text in told if UNSEARCHED in text and "ERROR:" not in text]
        if len(unsearched) <= UNSEARCHED_MAX:
            told = [text for text in told if text not in unsearched]
        return done.returncode, done.stdout, "\n".join(told)


def prove(package, net):
    """[(case, what is wrong or "")]"""
    status, printed, healthy = net.run(package.load())
    _, without, _ = net.run(package.load(), LD_PRELOAD="")
    _, _, leak = net.run(package.load_library(SEEDED), SEEDED="leak")
    _, _, overflow = net.run(package.load_library(SEEDED), SEEDED="overflow")
    return [
        ("the binary loads, and nothing is told", healthy or (printed or "it does not" if status != 0 else "")),
        ("the binary under test is instrumented", "" if "ASan runtime does not come first" in without else "it loads without the sanitizer's library"),
        ("a leak is told", "" if "770 byte(s) leaked in 10 allocation" in leak else leak or "it is not"),
        ("an overflow is told", "" if "heap-buffer-overflow" in overflow else overflow or "it is not"),
    ]


def main(name, report):
    build = ROOT / f"build/{name}-asan"
    build.mkdir(parents=True, exist_ok=True)
    package = {"python": Python, "node": Node}[name](build)
    want, made = stamp(package.sources), build / "stamp"
    if not made.exists() or made.read_text() != want:
        package.build(build)
        made.write_text(want)
    net = Net(name, package.env, build / "logs")
    cases = prove(package, net)
    status, _, told = net.run(package.tests(report))
    cases.append(("the sanitizers have nothing to tell", told))
    tree = ElementTree.parse(report)
    for case, problem in cases:
        element = ElementTree.SubElement(tree.getroot(), "testcase", classname="sanitized", name=case)
        if problem:
            ElementTree.SubElement(element, "failure").text = problem[:20000]
    tree.write(report, encoding="utf-8", xml_declaration=True)
    return status or any(problem for _, problem in cases)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
