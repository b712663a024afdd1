"""Every function of stator.map is called in an example: a new one needs a few lines in examples/."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def main():
    public = re.findall(r"^ +(stator_\w+);$", (ROOT / "ffi/stator.map").read_text(), re.M)
    code = "\n".join(NOISE.sub(" ", path.read_text(encoding="utf-8")) for path in sorted((ROOT / "examples").glob("*.[ch]")))
    called = set(re.findall(r"\b(stator_\w+)\(", code))
    missing = [name for name in public if name not in called]
    for name in missing:
        print(f"{name} occurs in no example")
    listed = (ROOT / "examples/CMakeLists.txt").read_text()
    idle = [path.stem for path in sorted((ROOT / "examples").glob("*.c")) if f"stator_example({path.stem})" not in listed]
    for name in idle:
        print(f"examples/{name}.c is run by no test")
    return 1 if missing or idle or len(public) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
