#!/usr/bin/env python3
"""Runs the suites of tests/suites.json in order: run.py [SUITE...].

One line a suite, then its failures; logs and reports stay in build/logs. The last line is `N passed, N failed`. What
counts as a failure stands in tests/runner/suite.py, and tools/tests/test_run.py proves it for every kind of runner.
"""
import argparse
import json
import os
import sys

from runner.suite import ConfigError, Runner, check_suite, read_skips

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FAILURES_SHOWN = 20
LINES_SHOWN = 15


def load(root, wanted):
    with open(os.path.join(root, "tests", "suites.json"), encoding="utf-8") as file:
        try:
            suites = json.load(file)
        except ValueError as error:
            raise ConfigError("suites.json: %s" % error)
    for suite in suites:
        check_suite(suite)
    names = [suite["name"] for suite in suites]
    for name in set(names):
        if names.count(name) > 1:
            raise ConfigError("suite %s is declared twice" % name)
    for name in wanted:
        if name not in names:
            raise ConfigError("no suite %s; there are: %s" % (name, " ".join(names)))
    with open(os.path.join(root, "tests", "SKIPS"), encoding="utf-8") as file:
        skips = read_skips(file.read())
    for suite, _ in skips:
        if suite not in names:
            raise ConfigError("SKIPS names the suite %s, which does not exist" % suite)
    return [suite for suite in suites if not wanted or suite["name"] in wanted], skips


def show(result, root):
    print("%-14s %5d passed %4d failed %4d skipped %8.1f s" % (
        result.name, result.passed, result.failed, result.skipped, result.seconds))
    for title, text in result.problems[:FAILURES_SHOWN]:
        print("    FAILED %s" % title)
        for line in text.strip().splitlines()[:LINES_SHOWN]:
            print("        %s" % line)
    if result.problems:
        hidden = len(result.problems) - FAILURES_SHOWN
        print("    %slog: %s" % ("%d more; " % hidden if hidden > 0 else "", os.path.relpath(result.log, root)))
    sys.stdout.flush()


def main(arguments, root=ROOT):
    parser = argparse.ArgumentParser(description="Runs the suites of tests/suites.json.")
    parser.add_argument("suite", nargs="*", help="only these")
    options = parser.parse_args(arguments)
    try:
        suites, skips = load(root, options.suite)
    except (ConfigError, OSError) as error:
        print("tests/run.py: %s" % error)
        print("0 passed, 1 failed")
        return 1
    passed = failed = 0
    runner = Runner(root, skips)
    for suite in suites:
        result = runner.run(suite)
        show(result, root)
        passed += result.passed
        failed += result.failed
    print("%d passed, %d failed" % (passed, failed))
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
