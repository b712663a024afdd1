"""Each example runs twice on one folder and prints what its comments say; each public call occurs in one."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stator

FOLDER = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((FOLDER / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_says_twice_on_one_folder(path, tmp_path):
    expected = re.findall(r"# \u2192 (.*)$", path.read_text(encoding="utf-8"), re.M)
    assert expected
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-X", "utf8", path, tmp_path / "db"], capture_output=True, text=True, encoding="utf-8", timeout=60,
            cwd=tmp_path,
        )
        assert done.stdout.splitlines() == expected, done.stderr
        assert done.returncode == 0 and done.stderr == ""


def test_the_first_lines_of_the_readme_are_the_example():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    example = (FOLDER / "examples/first_lines.py").read_text(encoding="utf-8")
    body = example[example.index("with ") :].replace('sys.argv[1] if len(sys.argv) > 1 else ', "")
    block = re.search(r"```python\n(.*?)```", readme, re.S).group(1)
    assert block[block.index("with ") :] == re.sub(r"  # .*", "", body)


def public_calls():
    """Functions of the module, and methods of the classes that it gives out."""
    for name in stator.__all__:
        value = getattr(stator, name)
        if inspect.isfunction(value):
            yield name
        elif inspect.isclass(value) and not issubclass(value, Exception):
            for method, function in vars(value).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield "." + method


def test_every_public_call_occurs_in_an_example():
    code = "\n".join(re.sub(r"#.*", "", path.read_text(encoding="utf-8")) for path in EXAMPLES)
    calls = sorted(set(public_calls()))
    assert len(calls) > 20
    missing = []
    for call in calls:
        before = "" if call.startswith(".") else r"(?:(?<![\w.])|stator\.)"
        if not re.search(before + re.escape(call) + r"\(", code):
            missing.append(call)
    assert missing == []


def test_every_keyword_of_a_public_call_occurs_in_an_example():
    code = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES)
    keywords = set()
    for function in [stator.open, stator.Put, stator.Update, *vars(stator.Table).values(), *vars(stator.Database).values()]:
        if not inspect.isfunction(function) or function.__name__.startswith("_"):
            continue
        keywords |= {name for name, what in inspect.signature(function).parameters.items() if what.default is not what.empty}
    assert {"read_only", "page_size"} <= keywords
    assert sorted(name for name in keywords if f"{name}=" not in code and name != "sort") == []
