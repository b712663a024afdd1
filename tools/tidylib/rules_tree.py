"""Rules about the tree: sizes, leftovers, dead files, READMEs, links."""
import os
import re

from tidylib.source import CODE_SUFFIXES, Finding

FILE_LINES = 1000
README_LINES = 40
LONG_SUFFIXES = ("c", "h", "cc", "cpp", "py", "go", "ts", "js", "mjs", "sh")
# Spelled in halves: this file is checked too.
LEFTOVER = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")))
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s<>]*(?:\([^()]*\))?[^()\s<>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.M)


def file_length(tree):
    files = tree.select(LONG_SUFFIXES)
    return len(files), [Finding(file.path, FILE_LINES + 1, "file-length",
                                "%d lines, at most %d" % (len(file.lines), FILE_LINES))
                        for file in files if len(file.lines) > FILE_LINES]


def leftovers(tree):
    """Notes to oneself. What is missing is left out or finished."""
    files = tree.select(CODE_SUFFIXES) + [file for file in tree.files if file.name == "CMakeLists.txt"]
    return len(files), [Finding(file.path, number, "leftover", "%s left in the source" % match.group(1))
                        for file in files for number, line in enumerate(file.lines, 1)
                        for match in [LEFTOVER.search(line)] if match]


def listed_sources(tree):
    """Every path that a CMakeLists.txt or *.cmake names, and every file included by a .c file as source."""
    listed = set()
    for file in tree.files:
        if file.name == "CMakeLists.txt" or file.suffix == "cmake":
            text = re.sub(r"#.*", "", file.text)
            text = text.replace("${PROJECT_SOURCE_DIR}/", "/").replace("${CMAKE_SOURCE_DIR}/", "/")
            text = text.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "").replace("${CMAKE_CURRENT_LIST_DIR}/", "")
            # A sources.cmake is included by the CMakeLists.txt above it and speaks from there.
            bases = [file.folder] if file.name == "CMakeLists.txt" else [file.folder, os.path.dirname(file.folder)]
            for word in re.findall(r"[^\s()\"]+\.c(?:c|pp)?\b", text):
                for base in bases:
                    listed.add(word[1:] if word[0] == "/" else os.path.normpath(os.path.join(base, word)))
    return listed


def dead_files(tree):
    files = [file for file in tree.select(("c", "cc", "cpp"), ("core", "ffi", "apps", "tests", "bench"))]
    if not files:
        return 0, []
    listed = listed_sources(tree)
    for file in files:
        for _, path in file.includes:
            if path.endswith(".c") and file.path != "ffi/unity.c":
                listed.add(os.path.normpath(os.path.join(file.folder, path)))
    return len(files), [Finding(file.path, 1, "dead-file", "no list of sources names it")
                        for file in files if file.path not in listed]


def unity(tree):
    """ffi/unity.c includes every source of core and ffi, once."""
    if "ffi/unity.c" not in tree.by_path:
        return 0, []
    file = tree.by_path["ffi/unity.c"]
    included = {}
    found = []
    for line, path in file.includes:
        places = {os.path.normpath(os.path.join(base, path)) for base in ("core", "ffi")}
        for whole in places & set(tree.by_path):
            if whole in included:
                found.append(Finding(file.path, line, "unity", "%s is included twice" % whole))
            included[whole] = line
    sources = [source for source in tree.select(("c",), ("core", "ffi")) if source is not file]
    found += [Finding(file.path, 1, "unity", "does not include %s" % source.path)
              for source in sources if source.path not in included]
    return len(sources), found


def readmes(tree):
    """Each room of core with a source has a README.md that fits on one screen."""
    rooms = sorted({file.room for file in tree.select(("c",), ("core",)) if file.room})
    found = []
    for room in rooms:
        path = "core/%s/README.md" % room
        if path not in tree.by_path:
            found.append(Finding(path, 1, "readme", "missing: purpose, files, invariants, guarding tests"))
        elif len(tree.by_path[path].lines) > README_LINES:
            found.append(Finding(path, README_LINES + 1, "readme", "%d lines, at most %d" % (
                len(tree.by_path[path].lines), README_LINES)))
    return len(rooms), found


def prose(text):
    """Markdown without code: blanked, so that offsets stay true."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    text = re.sub(r"^ {0,3}(```|~~~).*?^ {0,3}\1[`~]*[ \t]*$", blank, text, flags=re.M | re.S)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", blank, text)


def anchors(text):
    """The anchors that headings of a page get, as the common forges make them."""
    found, counts = set(), {}
    for match in re.finditer(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.sub(
            r"^(```|~~~).*?^\1[ \t]*$", "", text, flags=re.M | re.S), re.M):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1)).lower()
        slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        number = counts.get(slug, 0)
        counts[slug] = number + 1
        found.add("%s-%d" % (slug, number) if number else slug)
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def links(tree):
    """Relative links in pages lead to a file of the tree, and to a heading if they name one."""
    files = tree.select(("md",))
    found = []
    for file in files:
        text = prose(file.text)
        for match in list(LINK.finditer(text)) + list(REFERENCE.finditer(text)):
            fault = link_fault(tree, file, match.group(1))
            if fault:
                found.append(Finding(file.path, file.line_of(match.start()), "link", fault))
    return len(files), found


def link_fault(tree, file, link):
    if re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", link) or not link:
        return None
    path, _, anchor = link.partition("#")
    target = os.path.normpath(os.path.join(file.folder, path)) if path else file.path
    if path.startswith("/") or target.startswith("..") or not tree.exists(target):
        return "%s leads nowhere" % link
    page = tree.by_path.get(target)
    if anchor and page is not None and page.suffix == "md" and anchor not in anchors(page.text):
        return "%s has no heading #%s" % (target, anchor)
    return None


RULES = [("file-length", file_length), ("leftover", leftovers), ("dead-file", dead_files), ("unity", unity),
         ("readme", readmes), ("link", links)]
