"""Every case file through every language; all must take the same number of steps."""

import os
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CASES = sorted(HERE.glob("*.cases"))
PATH = f"{ROOT / 'build/tools/bin'}{os.pathsep}{os.environ['PATH']}"


class ConformanceTest(unittest.TestCase):
    def check(self, *words):
        for cases in CASES:
            done = subprocess.run(
                [str(word).replace("CASES", str(cases)) for word in words],
                cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "PATH": PATH},
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            lines = cases.read_text().splitlines()
            steps = [line for line in lines if line and line.split("\t")[0] not in ("case", "=", "none", "error") and line[0] != "#"]
            self.assertEqual(done.stdout, f"{len(steps)} steps\n")

    def test_c(self):
        self.check(ROOT / "build/asan/bin/conformance_driver", "CASES")

    def test_python(self):
        self.check(ROOT / "build/python-venv/bin/python", HERE / "driver.py", "CASES")

    def test_go(self):
        self.check("go", "run", "./tests/conformance/godriver", "CASES")

    def test_node(self):
        self.check("node", HERE / "driver.mjs", "CASES", ROOT / "node")


if __name__ == "__main__":
    unittest.main()
