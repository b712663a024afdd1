"""The ABI of the built library: what it exports, what it says of itself, what it asks for, and what the last release had."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
BUILD = os.path.join(ROOT, "build", "abi")
sys.path[:0] = [FOLDER, os.path.join(ROOT, "tools")]
import abidiff  # noqa: E402
import amalgamate  # noqa: E402

PROGRAM = r"""
#include <stator.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
    stator_error err;
    stator_db *db;
    stator_schema *schema;
    stator_table *movies;
    stator_item *m, *found;
    stator_error_init(&err);
    if (count != 2 || stator_open(words[1], strlen(words[1]), NULL, &db, &err)) {
        return puts(err.message);
    }
    stator_schema_new(&schema);
    stator_schema_partition(schema, "title", 5, STATOR_TYPE_S);
    if (stator_table_ensure(db, "movies", 6, schema, &movies, &err)) {
        return puts(err.message);
    }
    stator_item_new(&m);
    stator_item_set_string(m, "title", 5, "Alien", 5);
    if (stator_put(movies, m, NULL, &err) || stator_compact(db, &err) ||
        stator_get(movies, m, NULL, &found, &err) || !found) {
        return puts(err.message);
    }
    printf("%s %u\n", stator_version(), stator_abi_version());
    return stator_close(db, &err);
}
"""

CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(app C)
find_package(Stator 0.1 REQUIRED)
add_executable(shared app.c)
target_link_libraries(shared PRIVATE Stator::stator)
add_executable(static app.c)
target_link_libraries(static PRIVATE Stator::stator_static)
"""


def run(*words, env=None, cwd=None):
    done = subprocess.run(words, env=dict(os.environ, **(env or {})), cwd=cwd, capture_output=True, text=True,
                          timeout=900)
    if done.returncode != 0:
        raise AssertionError("%s\n%s%s" % (" ".join(words), done.stdout[-4000:], done.stderr[-4000:]))
    return done.stdout


def exported_by_map():
    with open(os.path.join(ROOT, "ffi", "stator.map"), encoding="utf-8") as file:
        return set(re.findall(r"^ +(stator_\w+);$", file.read(), re.M))


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="stator-abi-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.prefix = os.path.join(cls.folder, "usr")
        cls.libraries = os.path.join(cls.prefix, "lib")
        cls.library = os.path.join(cls.libraries, "libstator.so")
        run("cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
            "-DSTATOR_UNITY=ON", "-DSTATOR_TESTS=OFF", "-DSTATOR_WERROR=ON", "-DCMAKE_INSTALL_LIBDIR=lib")
        run("cmake", "--build", BUILD, "-j2", "--target", "stator", "stator_static", "stator_cli")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.app = os.path.join(cls.folder, "app.c")
        with open(cls.app, "w", encoding="utf-8") as file:
            file.write(PROGRAM)

    def runs(self, program, **env):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = os.path.join(folder, "movies.stator")
            for _ in range(2):
                self.assertEqual(run(program, path, env=env), "0.1.0 1\n")

    def test_pkg_config_names_the_prefix_it_was_installed_to(self):
        env = {"PKG_CONFIG_PATH": os.path.join(self.libraries, "pkgconfig")}
        flags = run("pkg-config", "--cflags", "--libs", "--static", "stator", env=env).split()
        for flag in ("-I" + os.path.join(self.prefix, "include"), "-L" + self.libraries, "-lzstd", "-lpthread"):
            self.assertIn(flag, flags)

    def test_find_package_gives_the_shared_and_the_static_library(self):
        source = os.path.join(self.folder, "cmake")
        os.mkdir(source)
        shutil.copy(self.app, source)
        with open(os.path.join(source, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write(CMAKE)
        build = os.path.join(source, "build")
        run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + self.prefix)
        run("cmake", "--build", build)
        self.runs(os.path.join(build, "shared"))
        self.runs(os.path.join(build, "static"))

    def test_the_library_says_which_abi_it_is_and_stays_loaded(self):
        dynamic = run("readelf", "-d", "-W", self.library)
        self.assertIn("[libstator.so.1]", dynamic)
        self.assertRegex(dynamic, r"FLAGS_1.*NODELETE")

    def test_it_exports_what_the_version_script_says_and_nothing_else(self):
        table = run("nm", "-D", "--defined-only", "--with-symbol-versions", self.library)
        found = {}
        for line in table.splitlines():
            _, kind, name = line.split(None, 2)
            if kind != "A":
                name, _, node = name.partition("@@")
                found[name] = node
        self.assertEqual(set(found), exported_by_map())
        self.assertEqual(set(found.values()), {"STATOR_0.1"})

    def test_one_file_asks_for_nothing_but_libc(self):
        folder = os.path.join(self.folder, "one_file")
        os.mkdir(folder)
        for name, text in zip(("stator.c", "stator.h"), amalgamate.amalgamate()):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        shutil.copy(self.app, folder)
        run("cc", "-O1", "-Wall", "-Werror", "-DSTATOR_ZSTD_DLOPEN", "-I.", "app.c", "stator.c", "-lpthread", "-o", "app",
            cwd=folder)
        self.assertNotIn("zstd.h", run("cc", "-DSTATOR_ZSTD_DLOPEN", "-M", "stator.c", cwd=folder))
        self.assertNotIn("zstd", run("readelf", "-d", "app", cwd=folder))
        self.runs(os.path.join(folder, "app"))

    def test_it_is_compatible_with_the_last_release(self):
        run(sys.executable, os.path.join(FOLDER, "abidiff.py"), self.library)


class Gate(unittest.TestCase):
    """What abidiff says, and what the gate makes of it."""

    def test_additions_pass(self):
        report = "Functions changes summary: 0 Removed, 0 Changed, 2 Added functions\n"
        self.assertEqual(abidiff.judge(4, report)[0], 0)
        self.assertEqual(abidiff.judge(0, "")[0], 0)

    def test_removals_and_changes_fail(self):
        for status, counts in ((12, "1 Removed, 0 Changed, 0 Added"), (4, "0 Removed, 1 Changed, 0 Added")):
            self.assertEqual(abidiff.judge(status, "Functions changes summary: %s functions\n" % counts)[0], 1)

    def test_what_cannot_be_compared_fails(self):
        self.assertEqual(abidiff.judge(1, "no such file")[0], 2)

    def test_the_newest_release_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(abidiff.newest(folder))
            for name in ("0.9.0.abi", "0.10.0.abi", "0.2.1.abi", "notes.txt"):
                open(os.path.join(folder, name), "w", encoding="utf-8").close()
            self.assertEqual(os.path.basename(abidiff.newest(folder)), "0.10.0.abi")


if __name__ == "__main__":
    unittest.main()
