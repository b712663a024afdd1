"""Writes go/stator_hash.h, a hash of all that go/stator.c includes, so that Go's build cache notices a change of the engine."""

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def core_hash(root):
    total = hashlib.sha256()
    for folder in ("core", "ffi"):
        for path in sorted(root.joinpath(folder).rglob("*")):
            if path.suffix in (".c", ".h", ".def"):
                total.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def main(root=ROOT):
    out = root / "go" / "stator_hash.h"
    text = f"/* core and ffi: {core_hash(root)} */\n"
    if not out.exists() or out.read_text() != text:
        out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
