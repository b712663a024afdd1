"""Writes the small files that packages keep of stator.h: `generate.py` rewrites them, `generate.py --check` compares."""

import argparse
import subprocess
import sys

from header import ROOT, check, read_header, read_statuses

NOTE = "Made from ffi/include/stator.h by bindings/gen/generate.py; do not edit."


def camel(name):
    special = {"IO": "IO"}
    return special.get(name) or "".join(part.capitalize() for part in name.split("_"))


def python_codes(header, statuses):
    lines = [f'"""{NOTE}"""', ""]
    lines += ["NAMES = {"] + [f'    {s.number}: "{s.name}",' for s in statuses] + ["}", ""]
    lines += ["EXCEPTIONS = {"]
    lines += [f'    {s.number}: "{s.exception or camel(s.name) + "Error"}",' for s in statuses if s.number]
    return "\n".join(lines + ["}", ""])


def go_codes(header, statuses):
    lines = [f"// {NOTE}", "", "package stator", "", "// Codes of errors.", "const ("]
    lines += [f"\tErr{camel(s.name)} Code = {s.number} // {s.text}" for s in statuses if s.number]
    lines += [")", "", "func (c Code) name() string {", "\tswitch c {"]
    lines += [f'\tcase {s.number}:\n\t\treturn "{s.name}"' for s in statuses]
    lines += ["\t}", '\treturn "UNKNOWN"', "}", "", "func (c Code) text() string {", "\tswitch c {"]
    lines += [f'\tcase {s.number}:\n\t\treturn "{s.text}"' for s in statuses]
    lines += ["\t}", '\treturn "unknown status"', "}", "", "func (c Code) exception() string {", "\tswitch c {"]
    lines += [f'\tcase {s.number}:\n\t\treturn "{s.exception}"' for s in statuses if s.exception]
    source = "\n".join(lines + ["\t}", '\treturn ""', "}", ""])
    return subprocess.run(["gofmt"], input=source, capture_output=True, text=True, check=True).stdout


def node_codes(header, statuses):
    lines = [f"// {NOTE}", "", "export interface Status {", "  readonly name: string;", "  readonly text: string;"]
    lines += ["  readonly exception: string;", "  readonly flags: number;", "}", ""]
    lines += ["export const statuses: Readonly<Record<number, Status>> = {"]
    for s in statuses:
        exception = s.exception or (camel(s.name) + "Error" if s.number else "")
        lines.append(f'  {s.number}: {{ name: "{s.name}", text: "{s.text}", exception: "{exception}", flags: {s.flags} }},')
    return "\n".join(lines + ["};", ""])


FILES = {
    "python/src/stator/_codes.py": python_codes,
    "go/errors_gen.go": go_codes,
    "node/src/codes.ts": node_codes,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit 1 on a difference")
    parser.add_argument("--swig", default="swig", help="the swig program, 4.3 or newer")
    options = parser.parse_args()
    header, statuses = read_header(options.swig), read_statuses()
    check(header, statuses)
    stale = 0
    for name, make in FILES.items():
        path = ROOT / name
        if not path.parent.is_dir():
            continue
        text = make(header, statuses)
        if options.check:
            if not path.exists() or path.read_text() != text:
                print(f"{name}: differs from what stator.h gives; run bindings/gen/generate.py")
                stale += 1
        else:
            path.write_text(text)
    print(f"{len(FILES)} files, {len(header.functions)} functions, {len(statuses)} status codes, {stale} stale")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
