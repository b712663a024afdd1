"""Each package says which public functions of stator.h it leaves out, and why: bindings/coverage/PACKAGE.txt.

A function counts as used when hand-written code of the package names it: in C, C++ and a cgo preamble any mention outside
comments and strings, in Go `C.name`, in Python the name itself. What SWIG makes for `stator.raw` is complete by construction and
counts for nothing. The bridges between C and a language are held to the same: what nobody calls is no use.
"""

import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings/gen"))
from header import read_header  # noqa: E402

NAME = re.compile(r"\bstator_\w+")
C_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
GO_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|`[^`]*`|"(?:\\.|[^"\\\n])*"', re.S)
PREAMBLE = re.compile(r'/\*(.*?)\*/\s*import "C"', re.S)
FOLDERS = {"python": ("csrc", "src"), "go": (".",), "node": ("native", "csrc")}


def swig():
    for place in (Path(sys.executable).parent, ROOT / "build/tools/bin"):
        if (place / "swig").exists():
            return str(place / "swig")
    return "swig"


@pytest.fixture(scope="module")
def public():
    names = read_header(swig()).functions
    assert "stator_open" in names and len(names) > 50
    return set(names)


def names_in(suffix, text):
    """The names in the code of one file, public functions among them."""
    if suffix in (".c", ".h", ".cc"):
        return set(NAME.findall(C_NOISE.sub(" ", text)))
    if suffix == ".go":
        inline = " ".join(PREAMBLE.findall(text))
        return set(NAME.findall(C_NOISE.sub(" ", inline))) | set(re.findall(r"\bC\.(stator_\w+)", GO_NOISE.sub(" ", text)))
    if suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        return {token.string for token in tokens if token.type == tokenize.NAME and token.string.startswith("stator_")}
    return set()


def used_by(package):
    used = set()
    for folder in FOLDERS[package]:
        for path in sorted((ROOT / package / folder).rglob("*")):
            if path.is_file() and not path.name.endswith("_test.go") and not {"build", "node_modules"} & set(path.parts):
                used |= names_in(path.suffix, path.read_text(errors="replace") if path.suffix else "")
    return used


def listed_by(text):
    """function -> its reason, the lines at the margin above it."""
    listed, reason, is_open = {}, "", False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            reason, is_open = "", False
        elif not line.startswith(" "):
            reason, is_open = (reason + " " + line if is_open else line), True
        else:
            name = line.strip()
            assert len(reason) > 20, f"line {number}: {name} stands below no reason"
            assert name not in listed, f"line {number}: {name} is listed twice"
            listed[name] = reason
            is_open = False
    return listed


def faults(public, used, listed):
    found = [f"{name} is neither used nor listed with a reason" for name in sorted(public - used - set(listed))]
    found += [f"{name} is listed, but used" for name in sorted(used & set(listed))]
    return found + [f"{name} is listed, but not in stator.h" for name in sorted(set(listed) - public)]


@pytest.mark.parametrize("package", sorted(FOLDERS))
def test_every_public_function_is_used_or_listed_with_a_reason(public, package):
    listed = listed_by((ROOT / f"bindings/coverage/{package}.txt").read_text())
    used = used_by(package) & public
    assert "stator_execute" in used
    assert faults(public, used, listed) == []


def test_every_package_has_a_list():
    assert {path.stem for path in (ROOT / "bindings/coverage").iterdir()} == set(FOLDERS)


def test_a_gap_a_stale_row_and_a_used_row_are_told():
    assert faults({"stator_a", "stator_b"}, {"stator_a"}, {}) == ["stator_b is neither used nor listed with a reason"]
    assert faults({"stator_a"}, {"stator_a"}, {"stator_a": ""}) == ["stator_a is listed, but used"]
    assert faults({"stator_a"}, {"stator_a"}, {"stator_b": ""}) == ["stator_b is listed, but not in stator.h"]
    assert faults({"stator_a", "stator_b"}, {"stator_a"}, {"stator_b": ""}) == []


def test_what_comments_and_strings_say_is_no_use():
    assert names_in(".c", 'x("stator_a"); /* stator_b() */ stator_c(); // stator_d()\n') == {"stator_c"}
    assert names_in(".go", '// C.stator_a()\nvar x = "C.stator_b" + stator_c; C.stator_d(x)') == {"stator_d"}
    assert names_in(".go", '/*\nvoid f(void) { stator_a(); }\n*/\nimport "C"\n') == {"stator_a"}
    assert names_in(".py", '"""stator_a"""\n# stator_b\nraw.stator_c()\n') == {"stator_c"}


def test_a_row_needs_a_reason():
    assert listed_by("# a\n\nNobody has asked for it\nup to now.\n    stator_a\n") == {"stator_a": "Nobody has asked for it up to now."}
    with pytest.raises(AssertionError, match="line 4: stator_b stands below no reason"):
        listed_by("Nobody has asked for it.\n    stator_a\n\n    stator_b\n")


def code_of(*patterns):
    return "\n".join(path.read_text() for pattern in patterns for path in sorted(ROOT.glob(pattern)))


@pytest.mark.parametrize(
    "made, pattern, callers, call",
    [
        ("go/bridge.h", r"\b(stator_go_(?!call\b)\w+)\(", "go/*.go", r"\bC\.%s\("),
        ("python/csrc/hot.c", r'^    \{"(\w+)", hot_py_', "python/src/stator/*.py", r"\bhot\.%s\("),
        ("node/src/native.ts", r"^  (\w+)\(.*\): [\w| ]+;$", "node/src/*.ts", r"\bbinary\.%s\("),
    ],
)
def test_every_call_of_a_bridge_is_made_by_the_language(made, pattern, callers, call):
    names = re.findall(pattern, code_of(made), re.M)
    assert len(names) > 8
    code = code_of(callers)
    assert [name for name in names if not re.search(call % name, code)] == []
