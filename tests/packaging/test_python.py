"""The Python package as users install it: the wheel, and the source distribution, into fresh environments."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from zstd_files import codecs, foreign_libraries, opens_zstd, without_zstd

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import stator
with stator.open(":memory:") as db:
    movies = db.table("movies", partition="title:S")
    movies.put({"title": "Alien"})
    print(movies.get("Alien"), stator.__version__)
"""

COMPRESSIBLE = """
import sys, stator
with stator.open(sys.argv[1], durability="none") as db:
    items = db.table("items", partition="id:N")
    with db.batch() as batch:
        for number in range(2000):
            batch.put(items, {"id": number, "text": "x" * 400})
    db.compact()
with stator.open(sys.argv[1]) as db:
    print(sum(1 for _ in db.table("items").scan()))
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


@pytest.fixture(scope="module")
def wheel():
    return Path(run(sys.executable, ROOT / "tools/stage.py", "wheel").strip())


def test_wheel(tmp_path, wheel):
    check_install(tmp_path, wheel)


@pytest.mark.skipif(sys.platform != "linux", reason="readelf reads ELF, and the loader is told where to look")
def test_the_wheel_compresses_where_there_is_no_zstd(tmp_path, wheel):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    (binary,) = (tmp_path / "stator").glob("_raw*.so")
    assert foreign_libraries(binary) == []
    assert not opens_zstd(binary)
    exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", binary).splitlines()]
    assert [name for name in exported if not name.startswith("PyInit_")] == []
    env = {**without_zstd(tmp_path), "PYTHONPATH": str(tmp_path)}
    assert run(sys.executable, "-c", COMPRESSIBLE, tmp_path / "db", cwd=tmp_path, env=env) == "2000\n"
    assert codecs(tmp_path / "db") == {"zstd"}


def test_source_distribution(tmp_path, staged):
    run(sys.executable, "-m", "venv", tmp_path / "builder")
    python = tmp_path / "builder/bin/python"
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "-q", "build==1.3.0")
    run(python, "-m", "build", "--sdist", "-o", tmp_path / "dist", staged)
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    check_install(tmp_path, archive)
