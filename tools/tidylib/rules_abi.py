"""Rules about the C ABI: header, version script and definitions agree, and every function says what it promises."""
import re

from tidylib.source import Finding

HEADER = "ffi/include/stator.h"
MAP = "ffi/stator.map"
LABELS = ("Errors:", "Threads:", "Blocks:", "Since:")
DECLARATION = re.compile(r"\b(stator_\w+)\s*\(")


def declared(header):
    """name -> offset of the statement that declares it. A function pointer's name is not followed by its arguments."""
    names = {}
    depth = start = 0
    code = header.code
    for match in re.finditer(r"[{};]", code):
        char = match.group()
        if char == "{":
            inside_extern = re.fullmatch(r"\s*extern\s*\"\s*\"\s*", code[start:match.start()])
            if inside_extern:
                start = match.end()
            else:
                depth += 1
        elif char == "}":
            if depth > 0:
                depth -= 1
            else:
                start = match.end()
        elif depth == 0:
            statement = code[start:match.start()]
            found = DECLARATION.search(statement)
            if found and not re.match(r"\s*typedef\b", statement):
                names[found.group(1)] = start + len(statement) - len(statement.lstrip())
            start = match.end()
    return names


def docstring_labels(tree):
    """The comment right before a public function carries all labels."""
    if HEADER not in tree.by_path:
        return 0, []
    header = tree.by_path[HEADER]
    names = declared(header)
    found = []
    for name, offset in names.items():
        before = header.text[:offset].rstrip()
        comment = ""
        if before.endswith("*/"):
            comment = before[before.rindex("/*"):]
        missing = [label for label in LABELS if label not in comment]
        if missing:
            found.append(Finding(HEADER, header.line_of(offset), "docstring",
                                 "%s lacks %s in the comment before it" % (name, " ".join(missing))))
    return len(names), found


def exported_in_map(tree):
    """name -> line of every symbol the version script makes global."""
    names = {}
    is_global = False
    for number, line in enumerate(tree.by_path[MAP].without_comments.splitlines(), 1):
        line = line.split("#")[0]
        for word in re.findall(r"global:|local:|[\w*?]+\s*;|[{}]", line):
            if word in "{}":
                is_global = word == "{"
            elif word.endswith(":"):
                is_global = word == "global:"
            elif is_global:
                names[word.rstrip("; ")] = number
    return names


def exports(tree):
    """stator.h, stator.map and the definitions in ffi name the same functions; the script uses no patterns."""
    if HEADER not in tree.by_path or MAP not in tree.by_path:
        return 0, []
    header = tree.by_path[HEADER]
    public, mapped = declared(header), exported_in_map(tree)
    found = []
    for name, line in mapped.items():
        if name not in public:
            found.append(Finding(MAP, line, "exports", "%s is not declared in stator.h" % name))
    defined = {}
    for file in tree.select(("c",), ("ffi", "core")):
        for function in file.functions:
            if function.name.startswith("stator_") and not function.is_static:
                defined[function.name] = (file.path, function.first_line)
    for name, offset in public.items():
        if name not in mapped:
            found.append(Finding(HEADER, header.line_of(offset), "exports", "%s is not in stator.map" % name))
        if name not in defined:
            found.append(Finding(HEADER, header.line_of(offset), "exports", "%s is defined nowhere" % name))
    for name, (path, line) in defined.items():
        if name not in public:
            found.append(Finding(path, line, "exports", "%s is not declared in stator.h" % name))
    return len(public), found


RULES = [("docstring", docstring_labels), ("exports", exports)]
