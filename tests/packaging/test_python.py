"""The Python package as users install it: the wheel, and the source distribution, into fresh environments."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import stator
with stator.open(":memory:") as db:
    movies = db.table("movies", partition="title:S")
    movies.put({"title": "Alien"})
    print(movies.get("Alien"), stator.__version__)
"""


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_install(folder, package):
    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv/bin/python"
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "-q", package)
    assert run(python, "-c", PROGRAM, cwd=folder) == "{'title': 'Alien'} 0.1.0\n"


@pytest.fixture(scope="module")
def staged():
    run("python3", ROOT / "tools/stage.py", "python")
    return ROOT / "build/stage/python"


def test_wheel(tmp_path, staged):
    run(sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "-q", "--no-deps", "-w", tmp_path, staged)
    (wheel,) = tmp_path.glob("*.whl")
    check_install(tmp_path, wheel)


def test_source_distribution(tmp_path, staged):
    run(sys.executable, "-m", "venv", tmp_path / "builder")
    python = tmp_path / "builder/bin/python"
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "-q", "build==1.3.0")
    run(python, "-m", "build", "--sdist", "-o", tmp_path / "dist", staged)
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    check_install(tmp_path, archive)
