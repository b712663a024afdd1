"""Runs a folder of unittest modules and writes JUnit: unittest_junit.py REPORT FOLDER."""
import os
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree


class JUnitResult(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.root = ElementTree.Element("testsuite")
        self.began = 0.0

    def _case(self, test, tag=None, message=""):
        name = test.id()
        case = ElementTree.SubElement(self.root, "testcase", name=name, time="%.3f" % (time.monotonic() - self.began))
        if tag:
            ElementTree.SubElement(case, tag, message=message)

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._case(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._case(test, "failure", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._case(test, "error", self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._case(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._case(test, "skipped", "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._case(test, "failure", "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._case(subtest, "failure", "".join(str(part) for part in err[:2]))


def main(report, folder):
    suite = unittest.defaultTestLoader.discover(folder, top_level_dir=folder)
    result = unittest.TextTestRunner(resultclass=JUnitResult, verbosity=1).run(suite)
    os.makedirs(os.path.dirname(os.path.abspath(report)), exist_ok=True)
    ElementTree.ElementTree(result.root).write(report, encoding="utf-8", xml_declaration=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
