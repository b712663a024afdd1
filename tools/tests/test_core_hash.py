import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import core_hash


class CoreHashTest(unittest.TestCase):
    def test_a_change_of_the_core_changes_the_hash_and_nothing_else_does(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("core/base", "ffi", "go"):
                (root / name).mkdir(parents=True)
            source = root / "core/base/a.c"
            source.write_text("int a;\n")
            core_hash.main(root)
            first = (root / "go/stator_hash.h").read_text()
            (root / "core/base/README.md").write_text("words\n")
            core_hash.main(root)
            self.assertEqual((root / "go/stator_hash.h").read_text(), first)
            source.write_text("int b;\n")
            core_hash.main(root)
            self.assertNotEqual((root / "go/stator_hash.h").read_text(), first)


if __name__ == "__main__":
    unittest.main()
