"""The snippets of README.md, run as a reader would run them."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = f"{ROOT / 'build/tools/bin'}{os.pathsep}{os.environ['PATH']}"


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.text = (ROOT / "README.md").read_text()

    def snippet(self, language):
        return re.search(rf"```{language}\n(.*?)```", self.text, re.S).group(1)

    def run_words(self, *words, env=None):
        done = subprocess.run(
            [str(word) for word in words], cwd=self.folder, capture_output=True, text=True, timeout=300,
            env={**os.environ, "PATH": PATH, **(env or {})},
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_it_is_at_most_90_lines(self):
        self.assertLessEqual(len(self.text.splitlines()), 90)

    def test_python(self):
        (self.folder / "first.py").write_text(self.snippet("python"))
        for _ in range(2):
            self.assertEqual(self.run_words(ROOT / "build/python-venv/bin/python", "first.py"), "1979\n")

    def test_go(self):
        head = 'package main\n\nimport (\n\t"context"\n\t"fmt"\n\n\tstator "github.com/statordb/stator/go"\n)\n\n'
        movie = 'type Movie struct {\n\tTitle string `dynamodbav:"title"`\n\tYear int `dynamodbav:"year"`\n}\n\n'
        main = "func main() {\n\tctx := context.Background()\n" + self.snippet("go") + "\t_ = err\n}\n"
        (self.folder / "main.go").write_text(head + movie + main)
        (self.folder / "go.mod").write_text(
            "module readme\n\ngo 1.23\n\nrequire github.com/statordb/stator v0.0.0\n\n"
            f"replace github.com/statordb/stator => {ROOT}\n"
        )
        self.assertEqual(self.run_words("go", "run", "."), "1979 <nil>\n")

    def test_node(self):
        (self.folder / "node_modules").mkdir()
        (self.folder / "node_modules/stator").symlink_to(ROOT / "node")
        (self.folder / "first.mjs").write_text(self.snippet("js"))
        self.assertEqual(self.run_words("node", "first.mjs"), "1979\n")

    def test_c(self):
        declared = "stator_db *db; stator_schema *schema; stator_table *movies; stator_item *m; stator_error err;\n"
        main = f"int main(void)\n{{\n{declared}stator_error_init(&err);\n{self.snippet('c')}return stator_close(db, &err);\n}}\n"
        (self.folder / "first.c").write_text('#include <stdio.h>\n#include "stator.h"\n' + main)
        library = ROOT / "build/asan/lib"
        self.run_words("gcc", "-fsanitize=address,undefined", f"-I{ROOT / 'ffi/include'}", "first.c", "-o", "first", f"-L{library}",
                       "-lstator", f"-Wl,-rpath,{library}")
        self.assertEqual(self.run_words("./first", env={"ASAN_OPTIONS": "detect_leaks=0"}), "")

    def test_the_command_line(self):
        (self.folder / "movies.json").write_text('[{"title": "Alien", "year": 1979}]')
        out = {}
        for line in re.findall(r"^    (stator .*)$", self.text, re.M):
            words = re.findall(r"'[^']*'|\S+", line)[1:]
            out[words[0]] = self.run_words(ROOT / "build/asan/bin/stator", *[word.strip("'") for word in words])
        self.assertEqual(out["query"], '{"title":"Alien","year":1979}\n')
        self.assertEqual(out["update"], '{"seen":1,"title":"Alien","year":1979}\n')
        self.assertEqual(out["sql"], out["update"])
        self.assertIn('"TableName":"movies"', out["call"])


if __name__ == "__main__":
    unittest.main()
