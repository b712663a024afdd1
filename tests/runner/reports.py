"""Readers of machine-readable test reports.

Each reader turns one runner's own report into a list of cases. None of them trusts a summary count: what is not a
case in the report did not run. A report that is missing or cannot be read raises ReportError; an empty report is an
empty list, and the caller calls that a failure.
"""
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class ReportError(Exception):
    """The report is missing or is not what the runner writes."""


class Case(NamedTuple):
    name: str
    outcome: str
    text: str = ""


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        raise ReportError("left no report: %s" % error)


def _parse_xml(text, path):
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ReportError("left a broken report %s: %s" % (path, error))


def _outcome(case):
    """Outcome and text of one JUnit <testcase>. An expected failure (pytest's xfail, node's todo) is a skip."""
    skipped = case.find("skipped")
    if skipped is not None:
        return SKIPPED, skipped.get("message") or skipped.get("type") or ""
    for tag in ("failure", "error"):
        found = case.find(tag)
        if found is not None:
            text = "\n".join(part for part in (found.get("message"), found.text) if part)
            return FAILED, text.strip()
    return PASSED, ""


def read_junit(path):
    """JUnit as pytest, our unittest runner and tidy write it: a case is classname.name."""
    cases = []
    for case in _parse_xml(_read(path), path).iter("testcase"):
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        cases.append(Case(name, *_outcome(case)))
    return cases


def read_node(path):
    """JUnit as `node --test` writes it: suites nest, and a file without tests is itself a passing case, which it is
    not for us. A file that could not be loaded is a failing one, and that it stays."""
    cases = []

    def walk(element, names):
        for child in element:
            if child.tag == "testsuite":
                walk(child, names + [child.get("name", "")])
            elif child.tag == "testcase":
                outcome, text = _outcome(child)
                name = child.get("name", "")
                is_file = not names and re.search(r"\.[cm]?[jt]sx?$", name) and os.path.isabs(name)
                if outcome != PASSED or not is_file:
                    cases.append(Case(" > ".join(names + [name]), outcome, text))

    walk(_parse_xml(_read(path), path), [])
    return cases


def read_go(path):
    """`go test -json`: one event a line. A test is a case unless it only groups subtests; a test that began and never
    ended (panic, os.Exit) failed; a package that failed without a failing test (build, TestMain) is a failing case."""
    outcomes, outputs, packages = {}, {}, {}
    for line in _read(path).splitlines():
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except ValueError:
            raise ReportError("left a broken report %s: %r is not JSON" % (path, line[:80]))
        action = event.get("Action")
        key = (event.get("Package") or event.get("ImportPath") or "", event.get("Test"))
        if action in ("output", "build-output"):
            outputs.setdefault(key, []).append(event.get("Output", ""))
        elif action == "build-fail" or (key[1] is None and action == "fail"):
            packages[key[0]] = FAILED
        elif key[1] is not None and action == "run":
            outcomes.setdefault(key, None)
        elif key[1] is not None and action in ("pass", "fail", "skip"):
            worse = outcomes.get(key) == FAILED or action == "fail"
            outcomes[key] = FAILED if worse else (SKIPPED if action == "skip" else PASSED)
    cases = []
    for (package, test), outcome in outcomes.items():
        outcome = outcome or FAILED
        below = [other for (p, t), other in outcomes.items() if p == package and t.startswith(test + "/")]
        if below and (outcome != FAILED or any(other in (FAILED, None) for other in below)):
            continue
        cases.append(Case("%s.%s" % (package, test), outcome, "".join(outputs.get((package, test), []))))
    for package in packages:
        if not any(case.outcome == FAILED and case.name.startswith(package + ".") for case in cases):
            cases.append(Case(package, FAILED, "".join(outputs.get((package, None), []))))
    return cases


def read_cmocka(path):
    """cmocka's XML. One program may run several groups, each of which is appended as a document of its own."""
    text = re.sub(r"<\?xml[^>]*\?>", "", _read(path))
    return [Case(case.get("name", ""), *_outcome(case))
            for case in _parse_xml("<all>%s</all>" % text, path).iter("testcase")]


def cmocka_files(listing):
    """From `ctest --show-only=json-v1`: test name -> the file its cases are reported to, None for a plain test."""
    try:
        tests = json.loads(listing)["tests"]
    except (ValueError, KeyError, TypeError):
        raise ReportError("ctest gave no list of its tests")
    files = {}
    for test in tests:
        files[test["name"]] = None
        for prop in test.get("properties", []):
            for setting in prop["value"] if prop["name"] == "ENVIRONMENT" else []:
                if setting.startswith("CMOCKA_XML_FILE="):
                    files[test["name"]] = setting.split("=", 1)[1]
    return files


def read_ctest(path, files):
    """ctest's JUnit joined with the cases of each cmocka program. A program that failed without a failing case (it
    crashed, timed out, leaked) and one that passed without any case are failures. A listed test that ctest did not
    run is one too."""
    cases = []
    unseen = set(files)
    for test in _parse_xml(_read(path), path).iter("testcase"):
        name, status = test.get("name", ""), test.get("status")
        unseen.discard(name)
        text = (test.findtext("system-out") or "").strip()
        if status not in ("run", "fail"):
            cases.append(Case(name, FAILED, "ctest did not run it: status %s" % status))
            continue
        report = files.get(name)
        if report is None:
            skipped = test.find("skipped") is not None
            outcome = SKIPPED if skipped else PASSED if status == "run" else FAILED
            cases.append(Case(name, outcome, text))
            continue
        try:
            own = read_cmocka(report)
        except ReportError as error:
            cases.append(Case(name, FAILED, "%s\n%s" % (error, text)))
            continue
        cases.extend(Case("%s.%s" % (name, case.name), case.outcome, case.text) for case in own)
        if status == "fail" and not any(case.outcome == FAILED for case in own):
            cases.append(Case(name, FAILED, "the program failed outside its cases\n" + text))
        elif not own:
            cases.append(Case(name, FAILED, "the program reported no cases"))
    cases.extend(Case(name, FAILED, "listed by ctest, absent from its report") for name in sorted(unseen))
    return cases
