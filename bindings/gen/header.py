"""What ffi/include/stator.h declares, read through `swig -xml`: constants, functions, structures.

Status codes get their text, exception name and flags from core/base/status.def, the one table of them.
"""

import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "ffi/include/stator.h"
STATUS_TABLE = ROOT / "core/base/status.def"

ROW = re.compile(r'^ST_STATUS\((\w+),\s*(\d+),\s*"([^"]*)",\s*"([^"]*)",\s*([A-Z_0-9 |]+)\)$', re.M)
FLAGS = {"ST_STATUS_RETRYABLE": 1, "ST_STATUS_MAYBE_APPLIED": 2, "ST_STATUS_CALLER": 4}


@dataclass
class Status:
    name: str
    number: int
    text: str
    exception: str
    flags: int


@dataclass
class Header:
    constants: dict = field(default_factory=dict)  # name -> value, in the order of the header
    functions: list = field(default_factory=list)
    structures: list = field(default_factory=list)


def _attributes(node):
    found = node.find("attributelist")
    return {} if found is None else {a.get("name"): a.get("value") for a in found.findall("attribute")}


def read_header(swig="swig"):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stator.xml"
        subprocess.run(
            [swig, "-xml", "-module", "stator", "-DSTATOR_API=", "-o", str(out), str(HEADER)],
            check=True,
            capture_output=True,
            text=True,
        )
        tree = ElementTree.parse(out)
    header = Header()
    for node in tree.iter():
        attributes = _attributes(node)
        name = attributes.get("sym_name") or attributes.get("name", "")
        if node.tag == "enumitem":
            header.constants[name] = int(attributes["enumvalue"], 0)
        elif node.tag == "cdecl" and attributes.get("decl", "").startswith("f(") and name.startswith("stator_"):
            if attributes.get("kind") == "function" and name not in header.functions:
                header.functions.append(name)
        elif node.tag == "class":
            header.structures.append(name)
    return header


def read_statuses():
    rows = []
    for name, number, text, exception, flags in ROW.findall(STATUS_TABLE.read_text()):
        value = sum(FLAGS[part.strip()] for part in flags.split("|") if part.strip() != "0")
        rows.append(Status(name, int(number), text, exception, value))
    return rows


def check(header, statuses):
    """The header's numbers and the table's are the same thing said twice."""
    for status in statuses:
        if header.constants.get("STATOR_" + status.name) != status.number:
            raise SystemExit(f"{HEADER.name}: STATOR_{status.name} is not {status.number} as in {STATUS_TABLE.name}")
