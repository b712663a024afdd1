"""tools/tidy.py: each rule has trees that must pass and trees that must fail."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import tidy  # noqa: E402
from tidylib.source import Tree  # noqa: E402

RULES = dict(tidy.RULES)
LAYERS = "base:\nenv: base\nlsm: base env\n"


class Rules(unittest.TestCase):
    def tree(self, files):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        for path, text in files.items():
            whole = os.path.join(temporary.name, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, "w", encoding="utf-8") as file:
                file.write(text)
        return Tree(temporary.name)

    def passes(self, rule, files):
        count, findings = RULES[rule](self.tree(files))
        self.assertEqual(findings, [])
        self.assertGreater(count, 0, "the rule looked at nothing")

    def fails(self, rule, files, *expected):
        """expected: `path:line` of each finding."""
        _, findings = RULES[rule](self.tree(files))
        self.assertEqual(["%s:%d" % (finding.path, finding.line) for finding in findings], list(expected), findings)
        self.assertEqual({finding.rule for finding in findings}, {rule})

    def idle(self, rule, files):
        self.assertEqual(RULES[rule](self.tree(files)), (0, []))


class Layers(Rules):
    def lsm(self, line, top="core/lsm"):
        return {"core/LAYERS": LAYERS, top + "/a.c": "/* x */\n" + line + "\n"}

    def test_own_files_and_faces_of_listed_folders_pass(self):
        for line in ('#include "lsm/lsm_internal.h"', '#include "env/env.h"', '#include "base/status.def"',
                     "#include <env/private.h>", '/* #include "table/table.h" */', '// #include "table/table.h"'):
            self.passes("layers", self.lsm(line))

    def test_a_folder_that_layers_does_not_grant_fails(self):
        self.fails("layers", {"core/LAYERS": LAYERS, "core/base/a.c": '#include "env/env.h"\n'}, "core/base/a.c:1")

    def test_another_header_than_the_face_fails(self):
        self.fails("layers", self.lsm('#include "env/posix.h"'), "core/lsm/a.c:2")

    def test_an_include_without_its_folder_fails(self):
        self.fails("layers", self.lsm('#include "lsm.h"'), "core/lsm/a.c:2")

    def test_an_unlisted_folder_fails(self):
        self.fails("layers", self.lsm("", "core/new"), "core/new/a.c:1")

    def test_a_rank_that_includes_upwards_fails(self):
        self.fails("layers", {"core/LAYERS": "base: env\nenv: base\n"}, "core/LAYERS:1")

    def test_apps_see_base_only(self):
        self.passes("layers", self.lsm('#include "base/base.h"', "apps/cli"))
        self.passes("layers", self.lsm('#include "stator.h"', "apps/cli"))
        self.fails("layers", self.lsm('#include "lsm/lsm.h"', "apps/cli"), "apps/cli/a.c:2")

    def test_ffi_sees_faces_only(self):
        self.passes("layers", self.lsm('#include "lsm/lsm.h"', "ffi"))
        self.fails("layers", self.lsm('#include "lsm/files.h"', "ffi"), "ffi/a.c:2")


class Picture(Rules):
    PAGE = "docs/architecture.md"
    MARKS = "<!-- drawn by tools/structure.py -->\n%s<!-- end -->\n"

    def house(self, picture):
        return {"core/LAYERS": LAYERS, "core/base/base.h": "", "core/env/env.c": '#include "base/base.h"\n', "core/lsm/lsm.c": "",
                "ffi/stator.c": '#include "lsm/lsm.h"\n', self.PAGE: "# A\n\n" + picture}

    def test_the_picture_that_is_drawn_passes(self):
        picture = ("```text\n      base env lsm ffi\nbase   \u25a0\nenv    \u25cf    \u25a0\nlsm    \u00b7    \u00b7   \u25a0\n"
                   "ffi    \u00b7    \u00b7   \u25cf   \u25a0\n```\n")
        self.passes("picture", self.house(self.MARKS % picture))

    def test_another_picture_fails(self):
        self.fails("picture", self.house(self.MARKS % ""), self.PAGE + ":3")

    def test_without_a_place_for_it_there_is_nothing_to_check(self):
        self.idle("picture", self.house(""))


class PrivateHeaders(Rules):
    def test_the_own_folder_and_tests_pass(self):
        self.passes("private-header", {"core/lsm/a.c": '#include "lsm/a_internal.h"\n'})
        self.passes("private-header", {"ffi/a.c": '#include "ffi_internal.h"\n',
                                       "tests/unit/lsm/t.c": '#include "lsm/a_internal.h"\n'})

    def test_everyone_else_fails(self):
        for path in ("core/table/a.c", "ffi/a.c", "apps/cli/a.c", "python/csrc/a.c"):
            self.fails("private-header", {path: '\n#include "lsm/a_internal.h"\n'}, path + ":2")


class FunctionLength(Rules):
    def function(self, lines, head="int base_f(int x)\n{\n"):
        return head + "    x++;\n" * (lines - 3) + "}\n"

    def test_seventy_lines_pass(self):
        self.passes("function-length", {"core/base/a.c": self.function(70)})

    def test_seventy_one_lines_fail(self):
        self.fails("function-length", {"core/base/a.c": "int x;\n\n" + self.function(71)}, "core/base/a.c:3")

    def test_heads_of_every_shape_are_seen(self):
        for head in ("static struct st_x *base_f(int (*call)(void *))\n{\n",
                     "__attribute__((target(\"sse4.2\"))) static int base_f(int x)\n{\n",
                     "/* } */ int base_f(const char *x)\n{ char c = '}';\n"):
            self.fails("function-length", {"core/base/a.c": self.function(71, head)}, "core/base/a.c:1")

    def test_tables_and_structs_are_no_functions(self):
        body = "    {1, 2},\n" * 100 + "};\n"
        self.passes("function-length", {"core/base/a.c": "static const int base_t[][2] = {\n" + body +
                                        "struct x {\n" + "    int (*f)(int);\n" * 100 + "};\n" +
                                        "enum e {\n" + "    A,\n" * 100 + "};\n"})

    def test_macros_with_braces_do_not_confuse(self):
        self.fails("function-length", {"core/base/a.c": "#define BASE_X do { \\\n  x(); \\\n" + self.function(71)[:0] +
                                       "\n" + self.function(71)}, "core/base/a.c:4")

    def test_functions_in_extern_c_are_seen(self):
        self.fails("function-length", {"ffi/a.h": "extern \"C\" {\n" + self.function(71) + "}\n"}, "ffi/a.h:2")


class Columns(Rules):
    def test_a_hundred_pass(self):
        self.passes("columns", {"tests/a.c": "x" * 100 + "\n", "tests/a.md": "x" * 200})

    def test_a_hundred_and_one_fail(self):
        self.fails("columns", {"tests/a.c": "\n" + "x" * 101 + "\n"}, "tests/a.c:2")


class BannedCalls(Rules):
    def test_calls_of_libc_fail(self):
        for name in ("malloc", "free", "strcpy", "sprintf", "printf", "time", "open", "abort", "rand", "getenv",
                     "pthread_create"):
            self.fails("banned-call", {"core/lsm/a.c": "void f(void)\n{\n    %s(x);\n}\n" % name}, "core/lsm/a.c:3")

    def test_a_call_in_a_macro_fails(self):
        self.fails("banned-call", {"core/lsm/a.c": "#define LSM_X(x) \\\n    malloc(x)\n"}, "core/lsm/a.c:2")

    def test_ffi_is_held_to_it_too(self):
        self.fails("banned-call", {"ffi/a.c": "void *f(void) { return malloc(1); }\n"}, "ffi/a.c:1")

    def test_env_and_memory_may(self):
        self.passes("banned-call", {"core/env/a.c": "int f(void) { return open(x); }\n", "core/lsm/a.c": "int x;\n",
                                    "core/base/memory.c": "void f(void *x) { free(x); }\n"})
        self.fails("banned-call", {"core/base/memory.c": "void f(void) { abort(); }\n"}, "core/base/memory.c:1")

    def test_members_names_and_text_are_no_calls(self):
        self.passes("banned-call", {"core/lsm/a.c": "struct ops { int (*open)(int x); };\nint memcpy(int);\n"
                                    "/* malloc(1) */\nvoid f(struct ops *o, struct ops p)\n{\n"
                                    "    o->open(1); p.open(1); st_free(\"free(x)\"); reopen(1); int time = 1;\n}\n"})


class UniqueStatics(Rules):
    def test_different_names_pass(self):
        self.passes("unique-static", {"core/base/a.c": "static int base_f(void)\n{\n}\n#define BASE_X 1\n",
                                      "ffi/b.c": "static int ffi_f(void)\n{\n}\nint g(void)\n{\n}\n#define FFI_X 1\n",
                                      "tests/c.c": "static int base_f(void)\n{\n}\n"})

    def test_the_same_static_twice_fails(self):
        same = "\nstatic int twice(void)\n{\n}\n"
        self.fails("unique-static", {"core/base/a.c": same, "ffi/b.c": same}, "ffi/b.c:2")

    def test_the_same_macro_twice_fails_unless_undefined(self):
        self.fails("unique-static", {"core/a/a.c": "#define X 1\n", "core/b/b.c": "#define X 2\n"}, "core/b/b.c:1")
        self.passes("unique-static", {"core/a/a.c": "#define X 1\n#undef X\n", "core/b/b.c": "#define X 2\n#undef X\n"})


class FileLength(Rules):
    def test_a_thousand_lines_pass(self):
        self.passes("file-length", {"a.%s" % kind: "x\n" * 1000 for kind in ("c", "h", "py", "go", "ts")})

    def test_one_more_fails(self):
        for kind in ("c", "h", "py", "go", "ts"):
            self.fails("file-length", {"a." + kind: "x\n" * 1001}, "a.%s:1001" % kind)


class Leftovers(Rules):
    def test_notes_to_oneself_fail(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX"):
            for name in ("a.c", "a.py", "a.go", "a.ts", "CMakeLists.txt"):
                self.fails("leftover", {name: "\n# %s: later\n" % word}, name + ":2")

    def test_other_words_pass(self):
        self.passes("leftover", {"a.c": "char path[] = \"/tmp/" + "X" * 6 + "\"; /* to do */\n"})


class DeadFiles(Rules):
    def test_listed_files_pass(self):
        self.passes("dead-file", {
            "core/CMakeLists.txt": "include(base/sources.cmake)\n", "core/base/sources.cmake": "list(APPEND S base/a.c)\n",
            "core/base/a.c": "", "tests/CMakeLists.txt": "stator_test(a unit/a.c ${PROJECT_SOURCE_DIR}/tests/support/s.c)\n",
            "tests/unit/a.c": "", "tests/support/s.c": "", "ffi/CMakeLists.txt": "add_library(s api.c)\n", "ffi/api.c": ""})

    def test_unlisted_and_commented_out_files_fail(self):
        self.fails("dead-file", {"core/base/sources.cmake": "list(APPEND S base/a.c)\n# base/b.c\n", "core/base/a.c": "",
                                 "core/base/b.c": "", "core/env/a.c": "", "tests/unit/x.c": "", "apps/y.c": ""},
                   "apps/y.c:1", "core/base/b.c:1", "core/env/a.c:1", "tests/unit/x.c:1")

    def test_a_source_that_another_one_includes_passes(self):
        self.passes("dead-file", {"tests/CMakeLists.txt": "stator_test(a a.c)\n", "tests/a.c": '#include "b.c"\n',
                                  "tests/b.c": ""})


class Unity(Rules):
    FILES = {"core/base/a.c": "", "ffi/api.c": ""}

    def test_every_source_once_passes(self):
        self.passes("unity", dict(self.FILES, **{"ffi/unity.c": '#include "base/a.c"\n#include "api.c"\n'}))
        self.passes("unity", dict(self.FILES, **{"ffi/unity.c": '#include "../core/base/a.c"\n#include "api.c"\n'}))

    def test_a_missing_one_fails(self):
        self.fails("unity", dict(self.FILES, **{"ffi/unity.c": '#include "base/a.c"\n'}), "ffi/unity.c:1")

    def test_one_twice_fails(self):
        text = '#include "base/a.c"\n#include "api.c"\n#include "api.c"\n'
        self.fails("unity", dict(self.FILES, **{"ffi/unity.c": text}), "ffi/unity.c:3")

    def test_without_the_file_there_is_nothing_to_check(self):
        self.idle("unity", self.FILES)


class Readmes(Rules):
    def test_forty_lines_pass(self):
        self.passes("readme", {"core/base/a.c": "", "core/base/README.md": "x\n" * 40})

    def test_forty_one_lines_fail(self):
        self.fails("readme", {"core/base/a.c": "", "core/base/README.md": "x\n" * 41}, "core/base/README.md:41")

    def test_a_room_without_one_fails(self):
        self.fails("readme", {"core/base/a.c": ""}, "core/base/README.md:1")


class Links(Rules):
    def test_links_that_lead_somewhere_pass(self):
        self.passes("link", {"docs/a.md": "# A b, `c`!\n[x](b.md) ![y](../pic.svg \"t\") [z](b.md#some-heading) [w](#a-b-c)\n"
                             "[v](https://example.org/x) [u](../docs/)\n[ref]: b.md\n",
                             "docs/b.md": "## Some heading\n", "pic.svg": ""})

    def test_code_is_not_read(self):
        self.passes("link", {"a.md": "```\n[x](nowhere.md)\n```\n`a[i](nowhere)` and ``[x](no`where)``\n"})

    def test_broken_links_fail(self):
        self.fails("link", {"a.md": "\n[x](b.md)\n[y](../outside.md)\n[z](/absolute.md)\n[[nested]](c.md)\n[r]: d.md\n"},
                   "a.md:2", "a.md:3", "a.md:4", "a.md:5", "a.md:6")

    def test_broken_headings_fail(self):
        self.fails("link", {"a.md": "[x](#none)\n[y](b.md#none)\n", "b.md": "# Some\n"}, "a.md:1", "a.md:2")


HEADER = """#ifdef __cplusplus
extern "C" {
#endif
typedef void (*stator_callback)(void *ctx);
struct stator_options { int (*stator_hook)(int); };
/* Closes.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API int stator_close(stator_db *db);
#ifdef __cplusplus
}
#endif
"""
MAP = "STATOR_0.1 {\n  global:\n    stator_close;\n  local:\n    *;\n};\n"
SOURCE = "int stator_close(stator_db *db)\n{\n    return ffi_close(db);\n}\n"


class Docstrings(Rules):
    def test_all_labels_pass(self):
        self.passes("docstring", {"ffi/include/stator.h": HEADER})

    def test_each_missing_label_fails(self):
        for label in ("Errors:", "Threads:", "Blocks:", "Since:"):
            self.fails("docstring", {"ffi/include/stator.h": HEADER.replace(label, "")}, "ffi/include/stator.h:8")

    def test_a_comment_of_another_function_does_not_count(self):
        header = HEADER.replace("(stator_db *db);\n", "(stator_db *db);\nSTATOR_API int stator_other(void);\n")
        self.fails("docstring", {"ffi/include/stator.h": header}, "ffi/include/stator.h:9")

    def test_without_the_header_there_is_nothing_to_check(self):
        self.idle("docstring", {"core/base/base.h": ""})


class Exports(Rules):
    def files(self, header=HEADER, script=MAP, source=SOURCE):
        return {"ffi/include/stator.h": header, "ffi/stator.map": script, "ffi/api_db.c": source}

    def test_the_same_names_everywhere_pass(self):
        self.passes("exports", self.files())

    def test_a_function_missing_in_the_map_fails(self):
        self.fails("exports", self.files(script=MAP.replace("stator_close;", "")), "ffi/include/stator.h:8")

    def test_a_function_defined_nowhere_fails(self):
        self.fails("exports", self.files(source="static " + SOURCE), "ffi/include/stator.h:8")

    def test_an_undeclared_export_fails(self):
        script = MAP.replace("stator_close;", "stator_close; stator_old;")
        self.fails("exports", self.files(script=script), "ffi/stator.map:3")
        self.fails("exports", self.files(source=SOURCE + "int stator_extra(void)\n{\n}\n"), "ffi/api_db.c:5")

    def test_a_pattern_in_the_map_fails(self):
        script = MAP.replace("stator_close;", "stator_close; stator_*;")
        self.fails("exports", self.files(script=script), "ffi/stator.map:3")

    def test_without_the_map_there_is_nothing_to_check(self):
        self.idle("exports", {"ffi/include/stator.h": HEADER})


class CommandLine(Rules):
    def run_tidy(self, files):
        root = self.tree(files).root
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = tidy.main(["--root", root, "--junit", os.path.join(root, "report.xml")])
        with open(os.path.join(root, "report.xml"), encoding="utf-8") as file:
            return status, output.getvalue().splitlines(), file.read()

    def test_a_clean_tree(self):
        status, lines, report = self.run_tidy({"a.c": "int x;\n"})
        self.assertEqual(status, 0)
        self.assertEqual(len(lines), 1)
        self.assertIn("nothing to check for: ", lines[0])
        self.assertIn('name="columns"', report)
        self.assertNotIn('name="exports"', report)

    def test_a_finding_is_printed_and_fails(self):
        status, lines, report = self.run_tidy({"a.c": "x" * 101})
        self.assertEqual(status, 1)
        self.assertEqual(lines[0], "a.c:1: columns: 101 columns, at most 100")
        self.assertIn("<failure>a.c:1", report)

    def test_an_empty_tree_fails(self):
        self.assertEqual(self.run_tidy({})[0], 1)

    def test_what_was_built_is_not_looked_at(self):
        files = {"a.c": "int x;\n"}
        files.update({folder + "/b.c": "x" * 101 for folder in ("build", "dist", "js/node_modules", ".hidden")})
        self.assertEqual(self.run_tidy(files)[0], 0)


class EveryRule(unittest.TestCase):
    def test_is_tested_both_ways(self):
        with open(__file__, encoding="utf-8") as file:
            text = file.read()
        for rule in RULES:
            self.assertIn('self.passes("%s"' % rule, text)
            self.assertIn('self.fails("%s"' % rule, text)


if __name__ == "__main__":
    unittest.main()
