"""Makes the engine one file: build/amalgamation/stator.c and stator.h, which compile alone with `cc -O2 app.c stator.c -lzstd -lpthread`.

With -DSTATOR_ZSTD_DLOPEN no zstd.h is needed: libzstd.so.1 is opened when it is first used.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT / "core", ROOT / "ffi")
HEADER = ROOT / "ffi/include/stator.h"
INCLUDE = re.compile(r'^\s*#\s*include "([^"]+)"')
DEFINES = """#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
"""


def find(name, beside):
    for folder in (beside, *FOLDERS):
        if (folder / name).is_file():
            return (folder / name).resolve()
    raise SystemExit(f"{beside}: cannot find {name}")


def inline(path, seen, out):
    """Appends a file with its own includes in place; headers once, tables (.def) as often as they are asked for."""
    if path == HEADER:
        if path not in seen:
            out.append('#include "stator.h"')
        seen.add(path)
        return
    if path.suffix != ".def":
        if path in seen:
            return
        seen.add(path)
    for line in path.read_text().split("\n"):
        found = INCLUDE.match(line)
        if found:
            inline(find(found.group(1), path.parent), seen, out)
        else:
            out.append(line)


def amalgamate():
    """(stator.c, stator.h) as texts."""
    out = ["/* Stator, all of it. Made by tools/amalgamate.py; the sources it comes from are the ones to change. */", DEFINES]
    inline(ROOT / "ffi/unity.c", set(), out)
    return "\n".join(out) + "\n", HEADER.read_text()


def main():
    folder = ROOT / "build/amalgamation"
    folder.mkdir(parents=True, exist_ok=True)
    source, header = amalgamate()
    (folder / "stator.c").write_text(source)
    (folder / "stator.h").write_text(header)
    print(f"{folder.relative_to(ROOT)}: stator.c {len(source) // 1000} kB, stator.h {len(header) // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
