"""The cases of dynamodb/*.json through drivers of several languages, with equal results.

One test for each file and driver. not_yet.txt lists the cases that are known to fail, each below its reason: one that fails
and is not listed fails the test, and so does one that is listed and passes.
"""

import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import run_dynamodb  # noqa: E402

GO_DRIVER = ROOT / "build/conformance/godispatch"
DRIVERS = {
    "c": [str(ROOT / "build/asan/bin/dispatch_driver")],
    "python": [str(ROOT / "build/python-venv/bin/python"), str(HERE / "dispatch_driver.py")],
    "go": [str(GO_DRIVER)],
    "node": ["node", str(HERE / "dispatch_driver.mjs"), str(ROOT / "node")],
}
HAS_LAYERS = ("c", "python")  # Go and Node speak in today's words alone


def not_yet():
    names = set()
    for line in (HERE / "not_yet.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            names.add(line)
    return names


class DynamoTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.fixtures, cls.cases = run_dynamodb.load()
        cls.known = not_yet()
        os.environ["PATH"] = f"{ROOT / 'build/tools/bin'}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(["go", "build", "-o", str(GO_DRIVER), "./tests/conformance/godispatch"], cwd=ROOT, check=True)

    def check(self, driver, file):
        process = run_dynamodb.Driver(DRIVERS[driver])
        wrong, passed = {}, set()
        try:
            for at, case in self.cases:
                if at == file and (driver in HAS_LAYERS or "layer" not in case):
                    result = run_dynamodb.run_case(process, case, self.fixtures)
                    if result:
                        wrong[case["name"]] = result
                    else:
                        passed.add(case["name"])
        finally:
            self.assertEqual(process.close(), 0)
        unknown = {name: text for name, text in wrong.items() if name not in self.known}
        self.assertEqual(unknown, {})
        self.assertEqual(sorted(passed & self.known), [], "listed in not_yet.txt and yet they pass")

    def test_every_name_is_unique_and_every_listed_case_exists(self):
        names = [case["name"] for _, case in self.cases]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(sorted(self.known - set(names)), [])

    def test_every_case_names_its_source(self):
        self.assertEqual([case["name"] for _, case in self.cases if not case.get("source")], [])


def add_tests():
    for file in sorted((HERE / "dynamodb").glob("*.json")):
        if file.stem == "fixtures":
            continue
        for driver in DRIVERS:
            def test(self, driver=driver, file=file.stem):
                self.check(driver, file)
            setattr(DynamoTest, "test_%s_%s" % (driver, file.stem), test)


add_tests()

if __name__ == "__main__":
    unittest.main()
