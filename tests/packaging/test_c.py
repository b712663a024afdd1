"""A C program by pkg-config, by find_package and by the single-file amalgamation."""

import os
import platform
import subprocess
from pathlib import Path

import pytest

from zstd_files import without_zstd

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "tests/packaging/app.c"


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    build, prefix = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("prefix")
    run("cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DSTATOR_TESTS=OFF", "-DSTATOR_UNITY=ON",
        "-DCMAKE_INSTALL_LIBDIR=lib", "-G", "Ninja")
    run("cmake", "--build", build, "-j2", "--target", "stator", "stator_static", "stator_cli")
    run("cmake", "--install", build, "--prefix", prefix)
    return prefix


def test_pkg_config(installed, tmp_path):
    env = {**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "stator", env=env).split()
    run("cc", APP, *flags, "-o", tmp_path / "app")
    assert run(tmp_path / "app", env={**os.environ, "LD_LIBRARY_PATH": str(installed / "lib")}) == "0.1.0\n"
    run("cc", APP, f"-I{installed}/include", installed / "lib/libstator.a", "-lzstd", "-lpthread", "-o", tmp_path / "static")
    assert run(tmp_path / "static") == "0.1.0\n"
    assert run(installed / "bin/stator", "--version") == "stator 0.1.0\n"


def test_every_installed_file_names_the_prefix_given_at_installation(installed):
    text = (installed / "lib/pkgconfig/stator.pc").read_text()
    assert text.startswith(f"prefix={installed}\nlibdir=${{prefix}}/lib\n")
    for path in (installed / "lib/cmake/Stator").iterdir():
        assert "/usr/local" not in path.read_text() and str(ROOT) not in path.read_text()


def test_find_package(installed, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(user C)\nfind_package(Stator 0.1 REQUIRED)\n"
        f"add_executable(app {APP})\ntarget_link_libraries(app Stator::stator)\n"
    )
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", tmp_path / "build")
    assert run(tmp_path / "build/app") == "0.1.0\n"


@pytest.mark.parametrize("flags", [["-lzstd"], ["-DSTATOR_ZSTD_DLOPEN", "-ldl"]])
def test_amalgamation(tmp_path, flags):
    run("python3", ROOT / "tools/amalgamate.py")
    folder = ROOT / "build/amalgamation"
    run("cc", "-O2", f"-I{folder}", APP, folder / "stator.c", "-o", tmp_path / "app", *flags, "-lpthread")
    assert run(tmp_path / "app") == "0.1.0\n"


@pytest.mark.skipif("STATOR_LONG" not in os.environ or platform.machine() != "x86_64", reason="make test-long on x86_64 only")
def test_files_go_between_32_and_64_bits(tmp_path):
    run("python3", ROOT / "tools/amalgamate.py")
    folder = ROOT / "build/amalgamation"
    for bits in (32, 64):
        run("gcc", f"-m{bits}", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Wno-maybe-uninitialized", "-DSTATOR_ZSTD_DLOPEN", f"-I{folder}",
            ROOT / "tests/packaging/compress.c", folder / "stator.c", "-o", tmp_path / f"compress{bits}", "-ldl", "-lpthread")
    env = without_zstd(tmp_path)
    for writer, reader in ((32, 64), (64, 32)):
        run(tmp_path / f"compress{writer}", "write", tmp_path / f"db{writer}", env=env)
        assert run(tmp_path / f"compress{reader}", "read", tmp_path / f"db{writer}", env=env) == "2000 items\n"


@pytest.mark.parametrize("standard", ["c99", "c11", "c++17"])
def test_the_header_alone(standard, tmp_path):
    compiler, language = ("g++", "c++") if standard == "c++17" else ("gcc", "c")
    run(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-x", language,
        ROOT / "ffi/include/stator.h")
