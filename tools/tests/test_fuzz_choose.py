"""tools/fuzz_choose.py: which inputs of a corpus stay."""
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fuzz_choose.py")


class Choose(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.kept = os.path.join(self.scratch.name, "kept")
        self.work = os.path.join(self.scratch.name, "work")
        os.mkdir(self.kept)
        os.mkdir(self.work)
        self.inputs = []

    def add(self, folder, name, content, features):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        self.inputs.append((path, features))

    def run_tool(self):
        control = os.path.join(self.scratch.name, "control")
        lines = [str(len(self.inputs)), "0"] + [path for path, _ in self.inputs]
        for index, (path, features) in enumerate(self.inputs):
            lines += ["STARTED %d %d" % (index, os.path.getsize(path)),
                      "FT %d %s" % (index, " ".join(map(str, features))), "COV %d" % index]
        with open(control, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        done = subprocess.run([sys.executable, TOOL, control, self.kept], capture_output=True, text=True, check=True)
        contents = set()
        for name in os.listdir(self.kept):
            with open(os.path.join(self.kept, name), "rb") as file:
                contents.add(file.read())
        return contents, done.stdout

    def test_what_adds_nothing_goes_and_what_adds_an_edge_comes(self):
        self.add(self.kept, "old", b"old", [8])
        self.add(self.work, "same", b"the same, but longer", [8])
        self.add(self.work, "new", b"new", [16])
        contents, text = self.run_tool()
        self.assertEqual(contents, {b"old", b"new"})
        self.assertIn("2 of     2 edges", text)

    def test_a_regression_stays_under_its_name_whatever_it_reaches(self):
        self.add(self.kept, "regression-thing", b"thing", [])
        self.add(self.work, "new", b"new", [16])
        contents, _ = self.run_tool()
        self.assertEqual(contents, {b"thing", b"new"})
        self.assertIn("regression-thing", os.listdir(self.kept))

    def test_a_corpus_has_at_most_sixty_files_and_sixteen_kibibytes(self):
        for i in range(100):
            self.add(self.work, "small%d" % i, b"small %d" % i, [8 * i])
        for i in range(100, 120):
            self.add(self.work, "large%d" % i, b"large %d" % i + bytes(4000), [8 * i])
        contents, _ = self.run_tool()
        self.assertLessEqual(len(contents), 60)
        self.assertLessEqual(sum(map(len, contents)), 16 * 1024)
        self.assertGreater(len(contents), 50)

    def test_further_counts_of_an_edge_come_when_all_edges_are_there(self):
        self.add(self.work, "once", b"once", [8])
        self.add(self.work, "often", b"often", [11])
        contents, _ = self.run_tool()
        self.assertEqual(contents, {b"once", b"often"})


if __name__ == "__main__":
    unittest.main()
