"""One suite: run its command, read its report, judge it.

A suite fails by one for each failing case, for each skip that tests/SKIPS does not list with a reason, and for each of
these: it did not start, it ran out of time, it left no readable report, it ran nothing, its command failed although
no case did. Nothing a suite does can make it count as less than it declared.
"""
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from runner import reports

KINDS = ("ctest", "go", "junit", "node", "pytest", "unittest")
FIELDS = {"name", "kind", "command", "cwd", "env", "needs", "timeout_s"}
TIMEOUT_S = 1800


class ConfigError(Exception):
    """suites.json or SKIPS is not what it must be."""


class Result(NamedTuple):
    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    problems: list  # of (title, text), one for each failure
    log: str


def check_suite(suite):
    """Raises ConfigError unless the entry of suites.json is complete."""
    name = suite.get("name")
    unknown = set(suite) - FIELDS
    if unknown:
        raise ConfigError("suite %s: unknown field %s" % (name, ", ".join(sorted(unknown))))
    for field in ("name", "kind", "command"):
        if not suite.get(field):
            raise ConfigError("suite %s: %s is missing" % (name, field))
    if suite["kind"] not in KINDS:
        raise ConfigError("suite %s: kind %s is none of %s" % (name, suite["kind"], " ".join(KINDS)))
    if not isinstance(suite["command"], list):
        raise ConfigError("suite %s: command is a list of words" % name)


def read_skips(text):
    """tests/SKIPS: `suite | test | reason` a line. Returns {(suite, test): reason}."""
    skips = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|", 2)]
        if len(parts) != 3 or not all(parts):
            raise ConfigError("SKIPS:%d: want `suite | test | reason`" % number)
        skips[parts[0], parts[1]] = parts[2]
    return skips


class Runner:
    def __init__(self, root, skips=None, build=None):
        self.root = root
        self.build = build or os.path.join(root, "build")
        self.logs = os.path.join(self.build, "logs")
        self.skips = skips or {}

    def _words(self, suite):
        venv = os.path.join(self.build, "venv", "bin", "python")
        names = {
            "{root}": self.root,
            "{build}": self.build,
            "{jobs}": str(os.cpu_count() or 1),
            "{python}": venv if os.path.exists(venv) else sys.executable,
            "{report}": self.report_path(suite),
        }
        words = []
        for word in suite["command"]:
            for key, value in names.items():
                word = word.replace(key, value)
            words.append(word)
        return words

    def report_path(self, suite):
        return os.path.join(self.logs, suite["name"] + (".json" if suite["kind"] == "go" else ".xml"))

    def _environment(self, suite):
        env = dict(os.environ)
        env["PATH"] = os.path.join(self.build, "tools", "bin") + os.pathsep + env.get("PATH", "")
        if suite["kind"] == "ctest":
            env["CMOCKA_MESSAGE_OUTPUT"] = "xml"
        env.update(suite.get("env", {}))
        return env

    def _missing_need(self, suite, env):
        """The first unmet need: a path that is absent, or `program:NAME` that is not on PATH."""
        for need in suite.get("needs", []):
            if need.startswith("program:"):
                if shutil.which(need[len("program:"):], path=env["PATH"]) is None:
                    return need
            elif not os.path.exists(os.path.join(self.root, need)):
                return need
        return None

    def _execute(self, suite, words, env, log_path):
        """Returns (exit status, None) or (None, what went wrong)."""
        cwd = os.path.join(self.root, suite.get("cwd", "."))
        limit_s = suite.get("timeout_s", TIMEOUT_S)
        with open(log_path, "wb") as log:
            out = open(self.report_path(suite), "wb") if suite["kind"] == "go" else log
            try:
                process = subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=log if out is not log else subprocess.STDOUT,
                                           start_new_session=True)
            except OSError as error:
                return None, "did not start: %s" % error
            finally:
                if out is not log:
                    out.close()
            try:
                return process.wait(timeout=limit_s), None
            except subprocess.TimeoutExpired:
                return None, "ran out of time after %d s" % limit_s
            finally:
                # The session is the suite's own: whatever it left running ends with it.
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
                process.wait()

    def _list_ctest(self, words, suite, env):
        """The tests ctest is about to run, with stale reports of theirs removed."""
        try:
            done = subprocess.run(words + ["--show-only=json-v1"], cwd=os.path.join(self.root, suite.get("cwd", ".")),
                                  env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise reports.ReportError("did not start: %s" % error)
        files = reports.cmocka_files(done.stdout.decode("utf-8", "replace"))
        for path in files.values():
            if path is not None:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                if os.path.exists(path):
                    os.remove(path)
        return files

    def _cases(self, suite, files):
        path = self.report_path(suite)
        if suite["kind"] == "ctest":
            return reports.read_ctest(path, files)
        reader = {"go": reports.read_go, "node": reports.read_node}.get(suite["kind"], reports.read_junit)
        return reader(path)

    def run(self, suite):
        os.makedirs(self.logs, exist_ok=True)
        started = time.monotonic()
        log_path = os.path.join(self.logs, suite["name"] + ".log")
        cases, problem = self._run(suite, log_path)
        problems = [(problem, "")] if problem else []
        passed = skipped = 0
        for case in cases:
            if case.outcome == reports.PASSED:
                passed += 1
            elif case.outcome == reports.FAILED:
                problems.append((case.name, case.text))
            elif (suite["name"], case.name) in self.skips:
                skipped += 1
            else:
                problems.append((case.name, "skipped, and tests/SKIPS does not list it: " + case.text))
        return Result(suite["name"], passed, len(problems), skipped, time.monotonic() - started, problems, log_path)

    def _run(self, suite, log_path):
        """Returns (cases, problem of the suite as a whole or None)."""
        env = self._environment(suite)
        need = self._missing_need(suite, env)
        if need:
            return [], "did not start: it needs %s" % need
        words = self._words(suite)
        report = self.report_path(suite)
        if os.path.exists(report):
            os.remove(report)
        files = {}
        try:
            if suite["kind"] == "ctest":
                files = self._list_ctest(words, suite, env)
                words = words + ["--output-junit", report]
            status, wrong = self._execute(suite, words, env, log_path)
            if wrong and "did not start" in wrong:
                return [], wrong
            cases = self._cases(suite, files)
        except reports.ReportError as error:
            return [], str(error)
        if wrong:
            return cases, wrong
        if not any(case.outcome != reports.SKIPPED for case in cases):
            return cases, "ran nothing"
        if status != 0 and not any(case.outcome == reports.FAILED for case in cases):
            return cases, "its command ended with %d although no test failed" % status
        return cases, None
