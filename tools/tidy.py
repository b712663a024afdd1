#!/usr/bin/env python3
"""Checks the rules of the house that a program can check: tidy.py [--root FOLDER] [--junit FILE].

Findings are printed as `path:line: rule: message` and make the exit status 1. The last line counts what was checked
and names the rules that had nothing to look at. The rules stand in tools/tidylib, their proof in tools/tests.
"""
import argparse
import os
import sys
import xml.etree.ElementTree as ElementTree

from tidylib import rules_abi, rules_c, rules_rooms, rules_tree
from tidylib.source import Tree

RULES = rules_c.RULES + rules_tree.RULES + rules_rooms.RULES + rules_abi.RULES


def check(root):
    """Returns (tree, [(rule, number of things checked, findings)])."""
    tree = Tree(root)
    return tree, [(name, *rule(tree)) for name, rule in RULES]


def write_junit(path, results):
    """One case a rule. A rule without anything to check is no case."""
    suite = ElementTree.Element("testsuite", name="tidy")
    for name, count, findings in results:
        if count == 0 and not findings:
            continue
        case = ElementTree.SubElement(suite, "testcase", classname="tidy", name=name)
        if findings:
            lines = ["%s:%d: %s" % (finding.path, finding.line, finding.message) for finding in findings]
            ElementTree.SubElement(case, "failure").text = "\n".join(lines)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def main(arguments):
    parser = argparse.ArgumentParser(description="Checks the rules of the house.")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--root", default=here)
    parser.add_argument("--junit", help="also write the result of each rule to this file")
    options = parser.parse_args(arguments)
    tree, results = check(options.root)
    if options.junit:
        write_junit(options.junit, results)
    findings = [finding for _, _, found in results for finding in found]
    for finding in sorted(findings):
        print("%s:%d: %s: %s" % finding)
    checked = ["%s %d" % (name, count) for name, count, _ in results if count]
    idle = [name for name, count, _ in results if not count]
    print("tidy: %d files, %d findings; checked: %s%s" % (
        len(tree.files), len(findings), ", ".join(checked),
        "; nothing to check for: " + ", ".join(idle) if idle else ""))
    return 1 if findings or not tree.files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
