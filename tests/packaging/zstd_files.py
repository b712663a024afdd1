"""What the tests of zstd share: a place where libzstd cannot be opened, and which blocks a database holds."""

import os
import re
import subprocess
from pathlib import Path

HEADER_BYTES, BLOCK_HEADER_BYTES, FOOTER_BYTES, DATA = 80, 24, 112, 1
SYSTEM = ("libc.so", "libm.so", "libpthread.so", "libdl.so", "ld-linux", "libc.musl")


def without_zstd(folder):
    """An environment in which opening libzstd.so.1 fails, whether the machine has it or not: the loader finds a broken one first."""
    (folder / "libzstd.so.1").write_bytes(b"")
    return {**os.environ, "LD_LIBRARY_PATH": str(folder)}


def foreign_libraries(binary):
    """The libraries that a binary asks for beyond those of every system."""
    text = subprocess.run(["readelf", "-d", str(binary)], check=True, capture_output=True, text=True).stdout
    return [name for name in re.findall(r"\(NEEDED\).*\[(.*)\]", text) if not name.startswith(SYSTEM)]


def opens_zstd(binary):
    """Whether a binary holds the name under which libzstd is opened at run time."""
    return b"libzstd.so" in Path(binary).read_bytes()


def codecs(database):
    """{"plain", "zstd"}, whichever the data blocks of a database have; read as docs/formats/sorted-file.md says."""
    found = set()
    for path in Path(database).glob("*.sst"):
        file, at = path.read_bytes(), HEADER_BYTES
        while at < len(file) - FOOTER_BYTES:
            if file[at] == DATA:
                found.add(("plain", "zstd")[file[at + 1]])
            at += BLOCK_HEADER_BYTES + int.from_bytes(file[at + 4 : at + 8], "little")
        assert at == len(file) - FOOTER_BYTES
    return found
