"""tests/run.py: for every kind of runner, what did not start, ran nothing, failed, crashed or skipped is seen."""
import contextlib
import io
import json
import os
import stat
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import run  # noqa: E402
from runner import reports, suite as suites  # noqa: E402

# A stand-in for any runner: writes the given text where the report is expected, then ends with the given status.
FAKE = "import sys; open(sys.argv[1], 'w').write(sys.argv[2]); sys.exit(int(sys.argv[3]))"


def junit(*cases):
    bodies = {"pass": "", "fail": "<failure message='is wrong'/>", "skip": "<skipped message='not here'/>",
              "error": "<error message='fixture broke'/>"}
    return "<testsuites><testsuite>%s</testsuite></testsuites>" % "".join(
        "<testcase classname='m' name='%s'>%s</testcase>" % (name, bodies[kind]) for name, kind in cases)


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name

    def run_suite(self, suite, skips=None):
        suite = dict({"name": "s", "kind": "junit"}, **suite)
        suites.check_suite(suite)
        return suites.Runner(self.root, skips).run(suite)

    def assert_counts(self, result, passed, failed, skipped, title=None):
        self.assertEqual((result.passed, result.failed, result.skipped), (passed, failed, skipped), result.problems)
        if title is not None:
            self.assertTrue(any(title in problem for problem, _ in result.problems), result.problems)


class JUnitKinds(Case):
    """pytest, unittest and plain JUnit share a reader."""

    def fake(self, kind, report, status, skips=None):
        command = [sys.executable, "-c", FAKE, "{report}", report, str(status)]
        return self.run_suite({"kind": kind, "command": command}, skips)

    def each(self):
        for kind in ("junit", "pytest", "unittest"):
            with self.subTest(kind):
                yield kind

    def test_passes_are_counted(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(("a", "pass"), ("b", "pass")), 0), 2, 0, 0)

    def test_failures_and_errors_are_counted_once(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(("a", "pass"), ("b", "fail"), ("c", "error")), 1), 1, 2, 0, "m.b")

    def test_a_failure_counts_even_when_the_command_says_success(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(("a", "fail")), 0), 0, 1, 0)

    def test_ran_nothing_is_a_failure(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(), 0), 0, 1, 0, "ran nothing")

    def test_did_not_start_is_a_failure(self):
        for kind in self.each():
            result = self.run_suite({"kind": kind, "command": ["/nonexistent/runner", "{report}"]})
            self.assert_counts(result, 0, 1, 0, "did not start")

    def test_an_unmet_need_is_a_failure(self):
        for need in ("program:no-such-program", "no/such/path"):
            result = self.run_suite({"command": ["true"], "needs": [need]})
            self.assert_counts(result, 0, 1, 0, "it needs " + need)

    def test_no_report_is_a_failure(self):
        for kind in self.each():
            result = self.run_suite({"kind": kind, "command": [sys.executable, "-c", "pass"]})
            self.assert_counts(result, 0, 1, 0, "left no report")

    def test_a_report_of_an_earlier_run_is_not_taken(self):
        self.fake("junit", junit(("a", "pass")), 0)
        result = self.run_suite({"command": [sys.executable, "-c", "pass"]})
        self.assert_counts(result, 0, 1, 0, "left no report")

    def test_a_cut_off_report_is_a_failure(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(("a", "pass"))[:-12], 0), 0, 1, 0, "broken report")

    def test_a_bad_end_without_a_failed_case_is_a_failure(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(("a", "pass")), 3), 1, 1, 0, "ended with 3")

    def test_an_unlisted_skip_is_a_failure(self):
        for kind in self.each():
            self.assert_counts(self.fake(kind, junit(("a", "pass"), ("b", "skip")), 0), 1, 1, 0, "m.b")

    def test_a_listed_skip_is_counted_as_skipped(self):
        for kind in self.each():
            skips = {("s", "m.b"): "needs a second disk"}
            self.assert_counts(self.fake(kind, junit(("a", "pass"), ("b", "skip")), 0, skips), 1, 0, 1)

    def test_a_skip_listed_for_another_suite_does_not_count(self):
        skips = {("t", "m.b"): "needs a second disk"}
        self.assert_counts(self.fake("junit", junit(("a", "pass"), ("b", "skip")), 0, skips), 1, 1, 0)

    def test_only_listed_skips_is_still_nothing(self):
        skips = {("s", "m.b"): "needs a second disk"}
        self.assert_counts(self.fake("junit", junit(("b", "skip")), 0, skips), 0, 1, 1, "ran nothing")

    def test_out_of_time_is_a_failure(self):
        command = [sys.executable, "-c", "import threading; threading.Event().wait()"]
        result = self.run_suite({"command": command, "timeout_s": 0.2})
        self.assert_counts(result, 0, 1, 0)

    def test_environment_and_folder_reach_the_command(self):
        os.mkdir(os.path.join(self.root, "inner"))
        code = ("import os,sys; assert os.environ['GREETING'] == 'hi'; assert os.getcwd().endswith('inner');"
                "open(sys.argv[1],'w').write(sys.argv[2])")
        result = self.run_suite({"command": [sys.executable, "-c", code, "{report}", junit(("a", "pass"))],
                                 "cwd": "inner", "env": {"GREETING": "hi"}})
        self.assert_counts(result, 1, 0, 0)


class RealUnittest(Case):
    """The runner that writes JUnit for unittest, run for real."""

    def run_module(self, body, skips=None):
        folder = os.path.join(self.root, "t")
        os.mkdir(folder)
        with open(os.path.join(folder, "test_x.py"), "w", encoding="utf-8") as file:
            file.write(body)
        runner = os.path.join(ROOT, "tests", "runner", "unittest_junit.py")
        return self.run_suite({"kind": "unittest", "command": [sys.executable, runner, "{report}", "t"]}, skips)

    def test_pass_failure_error_and_skip(self):
        body = """import unittest
class T(unittest.TestCase):
    def test_a(self): pass
    def test_b(self): self.assertTrue(False)
    def test_c(self): raise KeyError("k")
    @unittest.skip("why")
    def test_d(self): pass
    @unittest.expectedFailure
    def test_e(self): self.assertTrue(False)
    def test_f(self):
        with self.subTest(1): self.assertTrue(False)
"""
        skips = {("s", "test_x.T.test_d"): "why", ("s", "test_x.T.test_e"): "why"}
        self.assert_counts(self.run_module(body, skips), 1, 3, 2)

    def test_a_module_that_cannot_be_loaded(self):
        self.assert_counts(self.run_module("import no_such_module\n"), 0, 1, 0)

    def test_a_module_without_tests(self):
        self.assert_counts(self.run_module("x = 1\n"), 0, 1, 0, "ran nothing")


class NodeKind(Case):
    def fake(self, body, status, skips=None):
        report = "<?xml version='1.0'?><testsuites>%s</testsuites>" % body
        command = [sys.executable, "-c", FAKE, "{report}", report, str(status)]
        return self.run_suite({"kind": "node", "command": command}, skips)

    def test_nested_suites_are_named_by_their_path(self):
        body = ("<testsuite name='db'><testsuite name='get'><testcase name='absent' classname='test' failure='x'>"
                "<failure message='x'/></testcase><testcase name='present'/></testsuite></testsuite>")
        self.assert_counts(self.fake(body, 1), 1, 1, 0, "db > get > absent")

    def test_a_file_without_tests_is_not_a_case(self):
        self.assert_counts(self.fake("<testcase name='/x/empty.test.mjs'/>", 0), 0, 1, 0, "ran nothing")

    def test_a_file_that_could_not_be_loaded_is_a_failure(self):
        body = "<testcase name='/x/broken.test.mjs'><failure message='test failed'/></testcase>"
        self.assert_counts(self.fake(body, 1), 0, 1, 0, "broken.test.mjs")

    def test_ran_nothing_is_a_failure(self):
        self.assert_counts(self.fake("", 0), 0, 1, 0, "ran nothing")

    def test_did_not_start_is_a_failure(self):
        result = self.run_suite({"kind": "node", "command": ["/nonexistent/node", "--test"]})
        self.assert_counts(result, 0, 1, 0, "did not start")

    def test_a_crash_after_the_tests_is_a_failure(self):
        self.assert_counts(self.fake("<testcase name='a'/>", 7), 1, 1, 0, "ended with 7")

    def test_skips_and_todos_must_be_listed(self):
        body = ("<testcase name='a'/><testcase name='b'><skipped type='skipped' message='why'/></testcase>"
                "<testcase name='c'><skipped type='todo'/><failure message='1'/></testcase>")
        self.assert_counts(self.fake(body, 0), 1, 2, 0)
        self.assert_counts(self.fake(body, 0, {("s", "b"): "why", ("s", "c"): "why"}), 1, 0, 2)


class GoKind(Case):
    FAKE = "import sys; print(sys.argv[1]); print('noise', file=sys.stderr); sys.exit(int(sys.argv[2]))"

    def fake(self, events, status, skips=None):
        lines = "\n".join(json.dumps({"Action": action, "Package": "p", **({"Test": test} if test else {})})
                          for action, test in events)
        return self.run_suite({"kind": "go", "command": [sys.executable, "-c", self.FAKE, lines, str(status)]}, skips)

    def test_passes_are_counted_and_groups_are_not(self):
        events = [("run", "A"), ("run", "A/x"), ("pass", "A/x"), ("pass", "A"), ("run", "B"), ("pass", "B"), ("pass", "")]
        self.assert_counts(self.fake(events, 0), 2, 0, 0)

    def test_a_failed_subtest_is_one_failure(self):
        events = [("run", "A"), ("run", "A/x"), ("fail", "A/x"), ("fail", "A"), ("fail", "")]
        self.assert_counts(self.fake(events, 1), 0, 1, 0, "p.A/x")

    def test_a_group_that_fails_by_itself_is_a_failure(self):
        events = [("run", "A"), ("run", "A/x"), ("pass", "A/x"), ("fail", "A"), ("fail", "")]
        self.assert_counts(self.fake(events, 1), 1, 1, 0, "p.A")

    def test_a_test_that_never_ended_is_a_failure(self):
        self.assert_counts(self.fake([("run", "A"), ("pass", "A"), ("run", "B"), ("fail", "")], 1), 1, 1, 0, "p.B")

    def test_a_package_that_does_not_build_is_a_failure(self):
        self.assert_counts(self.fake([("build-output", ""), ("fail", "")], 1), 0, 1, 0, "p")

    def test_one_failure_among_repeats_stays(self):
        self.assert_counts(self.fake([("run", "A"), ("fail", "A"), ("run", "A"), ("pass", "A"), ("fail", "")], 1), 0, 1, 0)

    def test_no_test_files_is_nothing(self):
        self.assert_counts(self.fake([("output", ""), ("skip", "")], 0), 0, 1, 0, "ran nothing")

    def test_did_not_start_is_a_failure(self):
        self.assert_counts(self.run_suite({"kind": "go", "command": ["/nonexistent/go"]}), 0, 1, 0, "did not start")

    def test_text_instead_of_events_is_a_failure(self):
        result = self.run_suite({"kind": "go", "command": [sys.executable, "-c", "print('go: no module')"]})
        self.assert_counts(result, 0, 1, 0, "broken report")

    def test_skips_must_be_listed(self):
        events = [("run", "A"), ("pass", "A"), ("run", "B"), ("skip", "B"), ("pass", "")]
        self.assert_counts(self.fake(events, 0), 1, 1, 0, "p.B")
        self.assert_counts(self.fake(events, 0, {("s", "p.B"): "why"}), 1, 0, 1)


class CtestKind(Case):
    """A stand-in for ctest: lists the programs of plan.json, and writes their reports when asked to run them."""
    SCRIPT = """#!%s
import json, os, sys
plan = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "plan.json")))
if "--show-only=json-v1" in sys.argv:
    print(json.dumps({"tests": [{"name": n, "properties": [{"name": "ENVIRONMENT", "value": ["CMOCKA_XML_FILE=" + t["file"]]}]
        if t["file"] else []} for n, t in plan["tests"].items()]}))
    sys.exit(0)
assert os.environ["CMOCKA_MESSAGE_OUTPUT"] == "xml"
out = ""
for name, test in plan["tests"].items():
    if test["status"] != "absent":
        out += "<testcase name='%%s' status='%%s'>%%s</testcase>" %% (name, test["status"], test.get("body", ""))
    if test["xml"] is not None:
        open(test["file"], "a").write(test["xml"])
open(sys.argv[sys.argv.index("--output-junit") + 1], "w").write("<testsuite>" + out + "</testsuite>")
sys.exit(plan["exit"])
""" % sys.executable

    def fake(self, tests, status=0, skips=None):
        """tests: name -> (ctest's status, the XML cmocka wrote, None for none, False for a plain program)."""
        plan = {"exit": status, "tests": {}}
        for name, (verdict, xml) in tests.items():
            report = os.path.join(self.root, "cmocka", name + ".xml") if xml is not False else None
            plan["tests"][name] = {"status": verdict, "file": report, "xml": xml or None}
        with open(os.path.join(self.root, "plan.json"), "w", encoding="utf-8") as file:
            json.dump(plan, file)
        script = os.path.join(self.root, "ctest")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        os.chmod(script, stat.S_IRWXU)
        return self.run_suite({"kind": "ctest", "command": [script]}, skips)

    @staticmethod
    def cmocka(*cases):
        return "<?xml version='1.0'?>\n" + junit(*cases)

    def test_the_cases_of_each_program_are_counted(self):
        xml = self.cmocka(("a", "pass"), ("b", "pass"))
        self.assert_counts(self.fake({"one": ("run", xml), "two": ("run", xml + xml)}), 6, 0, 0)

    def test_a_failed_case_is_one_failure(self):
        self.assert_counts(self.fake({"one": ("fail", self.cmocka(("a", "pass"), ("b", "fail")))}, 8), 1, 1, 0, "one.b")

    def test_a_crash_is_a_failure(self):
        self.assert_counts(self.fake({"one": ("fail", None)}, 8), 0, 1, 0, "one")

    def test_a_leak_after_the_last_case_is_a_failure(self):
        self.assert_counts(self.fake({"one": ("fail", self.cmocka(("a", "pass")))}, 8), 1, 1, 0, "one")

    def test_a_program_without_cases_is_a_failure(self):
        tests = {"one": ("run", self.cmocka()), "two": ("run", self.cmocka(("a", "pass")))}
        self.assert_counts(self.fake(tests), 1, 1, 0, "one")

    def test_a_program_that_was_not_built_is_a_failure(self):
        tests = {"one": ("notrun", None), "two": ("run", self.cmocka(("a", "pass")))}
        self.assert_counts(self.fake(tests, 8), 1, 1, 0, "one")

    def test_a_listed_program_absent_from_the_report_is_a_failure(self):
        tests = {"one": ("absent", None), "two": ("run", self.cmocka(("a", "pass")))}
        self.assert_counts(self.fake(tests), 1, 1, 0, "one")

    def test_reports_of_an_earlier_run_are_not_taken(self):
        self.fake({"one": ("run", self.cmocka(("a", "pass")))})
        self.assert_counts(self.fake({"one": ("run", None)}), 0, 1, 0, "one")

    def test_no_tests_is_a_failure(self):
        self.assert_counts(self.fake({}), 0, 1, 0, "ran nothing")

    def test_did_not_start_is_a_failure(self):
        result = self.run_suite({"kind": "ctest", "command": ["/nonexistent/ctest"]})
        self.assert_counts(result, 0, 1, 0, "did not start")

    def test_a_plain_program_is_one_case(self):
        self.assert_counts(self.fake({"one": ("run", False), "two": ("fail", False)}, 8), 1, 1, 0, "two")

    def test_skips_must_be_listed(self):
        tests = {"one": ("run", self.cmocka(("a", "pass"), ("b", "skip")))}
        self.assert_counts(self.fake(tests), 1, 1, 0, "one.b")
        self.assert_counts(self.fake(tests, 0, {("s", "one.b"): "why"}), 1, 0, 1)


class Table(Case):
    def main(self, table, skips="", arguments=()):
        os.makedirs(os.path.join(self.root, "tests"), exist_ok=True)
        for name, text in (("suites.json", table), ("SKIPS", skips)):
            with open(os.path.join(self.root, "tests", name), "w", encoding="utf-8") as file:
                file.write(text)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = run.main(list(arguments), self.root)
        return status, output.getvalue().splitlines()

    def suite(self, name, *cases):
        return {"name": name, "kind": "junit", "command": [sys.executable, "-c", FAKE, "{report}", junit(*cases), "0"]}

    def test_the_last_line_is_the_plain_sum(self):
        table = json.dumps([self.suite("a", ("x", "pass"), ("y", "pass")), self.suite("b", ("x", "pass"))])
        status, lines = self.main(table)
        self.assertEqual((status, lines[-1]), (0, "3 passed, 0 failed"))
        self.assertRegex(lines[0], r"^a +2 passed +0 failed +0 skipped +[0-9.]+ s$")

    def test_a_failure_shows_its_name_and_the_later_suites_still_run(self):
        table = json.dumps([self.suite("a", ("x", "fail")), self.suite("b", ("x", "pass"))])
        status, lines = self.main(table)
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"))
        self.assertTrue(any("FAILED m.x" in line for line in lines))

    def test_an_empty_table_fails(self):
        self.assertEqual(self.main("[]")[0], 1)

    def test_one_suite_can_be_asked_for(self):
        table = json.dumps([self.suite("a", ("x", "pass")), self.suite("b", ("x", "pass"))])
        self.assertEqual(self.main(table, arguments=["b"])[1][-1], "1 passed, 0 failed")

    def test_mistakes_in_the_tables_fail(self):
        good = self.suite("a", ("x", "pass"))
        for table, skips, arguments in (
                ("{", "", ()),
                (json.dumps([good, good]), "", ()),
                (json.dumps([dict(good, kind="tap")]), "", ()),
                (json.dumps([dict(good, commnd=["x"])]), "", ()),
                (json.dumps([{"name": "a", "kind": "junit"}]), "", ()),
                (json.dumps([good]), "a | m.x |", ()),
                (json.dumps([good]), "b | m.x | why", ()),
                (json.dumps([good]), "", ("c",))):
            status, lines = self.main(table, skips, arguments)
            self.assertEqual((status, lines[-1]), (1, "0 passed, 1 failed"))

    def test_the_table_of_the_project_is_sound(self):
        loaded, _ = run.load(ROOT, [])
        self.assertTrue(loaded)

    def test_cmocka_reports_of_several_groups_are_read(self):
        path = os.path.join(self.root, "r.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<?xml version='1.0'?>\n" + junit(("a", "pass")) + "\n" + junit(("b", "fail")))
        self.assertEqual([case.outcome for case in reports.read_cmocka(path)], ["passed", "failed"])


if __name__ == "__main__":
    unittest.main()
