"""Builds that have no zstd, and those that have: what they write, and what they say of blocks they cannot read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zstd_files import codecs, foreign_libraries, opens_zstd, without_zstd

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="readelf reads ELF, and the loader is told where to look")


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **options)


def done(*words, **options):
    result = run(*words, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build(folder, *options, env=None):
    """A program on the installed static library, as pkg-config says to link it."""
    done("cmake", "-S", ROOT, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DSTATOR_TESTS=OFF", "-DSTATOR_UNITY=ON",
         "-DCMAKE_INSTALL_LIBDIR=lib", *options, env=env)
    done("cmake", "--build", folder / "build", "-j2", "--target", "stator", "stator_static", "stator_cli", env=env)
    done("cmake", "--install", folder / "build", "--prefix", folder / "usr")
    env = {**os.environ, "PKG_CONFIG_PATH": str(folder / "usr/lib/pkgconfig")}
    flags = done("pkg-config", "--cflags", "--static", "--libs", "stator", env=env).split()
    for library in (folder / "usr/lib").glob("libstator.so*"):
        library.unlink()
    done("cc", ROOT / "tests/packaging/compress.c", *flags, "-o", folder / "compress")
    return folder / "compress"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Built as on a machine where CMake finds no zstd and the compiler has no zstd.h."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "zstd.h").write_text("#error there is no zstd.h here\n")
    env = {**os.environ, "C_INCLUDE_PATH": str(folder)}
    return build(folder, "-DSTATOR_ZSTD_INCLUDE=", "-DSTATOR_ZSTD_SHARED=", "-DSTATOR_ZSTD_STATIC=", env=env)


@pytest.fixture(scope="module")
def compressed(bare, tmp_path_factory):
    database = tmp_path_factory.mktemp("compressed") / "db"
    done(bare, "write", database)
    assert codecs(database) == {"zstd"}
    return database


def test_a_build_without_zstd_asks_for_nothing_and_opens_the_library_if_it_is_there(bare, compressed):
    assert foreign_libraries(bare) == [] and opens_zstd(bare)
    assert done(bare, "read", compressed) == "2000 items\n"


def test_where_there_is_no_zstd_new_blocks_are_plain(bare, tmp_path):
    env = without_zstd(tmp_path)
    done(bare, "write", tmp_path / "db", env=env)
    assert codecs(tmp_path / "db") == {"plain"}
    assert done(bare, "read", tmp_path / "db", env=env) == "2000 items\n"
    assert done(bare, "read", tmp_path / "db") == "2000 items\n"


def test_a_compressed_block_is_told_from_damage_where_there_is_no_zstd(bare, compressed, tmp_path):
    result = run(bare, "read", compressed, env=without_zstd(tmp_path))
    assert result.returncode == 1
    (name,) = (path.name for path in compressed.glob("*.sst"))
    assert f"{compressed}/{name}: the block at offset " in result.stdout
    assert result.stdout.endswith("is compressed with zstd, and libzstd.so.1 is not installed (package libzstd1)\n")
    assert done(bare, "read", compressed) == "2000 items\n"


def test_a_static_build_compresses_where_there_is_no_zstd(compressed, tmp_path):
    done("cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DSTATOR_TESTS=OFF",
         "-DSTATOR_UNITY=ON", "-DSTATOR_ZSTD=static")
    done("cmake", "--build", tmp_path / "build", "-j2", "--target", "stator")
    library = tmp_path / "build/lib/libstator.so"
    assert foreign_libraries(library) == [] and not opens_zstd(library)
    done("cc", ROOT / "tests/packaging/compress.c", f"-I{ROOT}/ffi/include", library, f"-Wl,-rpath,{library.parent}", "-o", tmp_path / "compress")
    env = without_zstd(tmp_path)
    done(tmp_path / "compress", "write", tmp_path / "db", env=env)
    assert codecs(tmp_path / "db") == {"zstd"}
    assert done(tmp_path / "compress", "read", compressed, env=env) == "2000 items\n"


def test_what_cannot_be_built_is_refused(tmp_path):
    for options, text in (
        (["-DSTATOR_ZSTD=static", "-DSTATOR_ZSTD_STATIC="], "needs zstd.h and the static library"),
        (["-DSTATOR_ZSTD=maybe"], "is none of auto, shared, static, dlopen"),
    ):
        result = run("cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja", "-DSTATOR_TESTS=OFF", *options)
        assert result.returncode != 0 and text in result.stderr
