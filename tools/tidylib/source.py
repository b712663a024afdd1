"""The files of a tree, and just enough understanding of C for the rules.

C is not parsed. Comments, literals and preprocessor lines are blanked (same length, same line breaks, so positions stay
true), and what is left is walked by its braces. That is exact for the C of this project; a rule never guesses beyond it.
"""
import functools
import os
import re
from typing import NamedTuple

SKIPPED_FOLDERS = {"build", "dist", "node_modules", "__pycache__", "venv", "vendor"}

TOKEN = re.compile(
    r"//(?:\\\n|[^\n])*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"]+)\"", re.M)
NAME_BEFORE_ARGUMENTS = re.compile(r"([A-Za-z_]\w*)\s*\(")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "_Alignof", "_Static_assert",
            "static_assert", "__attribute__", "__asm__", "_Generic"}


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    message: str


class Function(NamedTuple):
    name: str
    first_line: int
    last_line: int
    is_static: bool


class File:
    def __init__(self, root, path):
        self.path = path
        self.folder = os.path.dirname(path)
        self.name = os.path.basename(path)
        self.suffix = os.path.splitext(path)[1].lstrip(".")
        with open(os.path.join(root, path), encoding="utf-8", errors="replace", newline="") as file:
            self.text = file.read()

    @property
    def top(self):
        return self.path.split("/")[0]

    @property
    def room(self):
        """The folder directly under core that a core file belongs to, else None."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "core" and len(parts) > 2 else None

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def without_comments(self):
        return blank(self.text, lambda token: token[0] == "/")

    @functools.cached_property
    def code(self):
        """Without comments, literals and preprocessor lines."""
        return DIRECTIVE.sub(lambda match: spaces(match.group()), self.code_and_macros)

    @functools.cached_property
    def code_and_macros(self):
        """Without comments and literals, with macro bodies."""
        return blank(self.text, lambda token: True)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @functools.cached_property
    def includes(self):
        """(line, path) of each quoted include."""
        return [(self.line_of(match.start(1)), match.group(1)) for match in INCLUDE.finditer(self.without_comments)]

    @functools.cached_property
    def functions(self):
        return list(find_functions(self))


def spaces(text):
    return re.sub(r"[^\n]", " ", text)


def blank(text, wanted):
    def replace(match):
        token = match.group()
        if not wanted(token):
            return token
        return spaces(token) if token[0] == "/" else token[0] + spaces(token[1:-1]) + token[-1]
    return TOKEN.sub(replace, text)


def find_functions(file):
    """Definitions at file level: from the end of what stands before to the closing brace."""
    depth, head_start, function = 0, 0, None
    for match in re.finditer(r"[{};]", file.code):
        char = match.group()
        if char == "{":
            if depth == 0:
                head = file.code[head_start:match.start()]
                if re.fullmatch(r"\s*extern\s*\"\s*\"\s*", head):
                    head_start = match.end()
                    continue  # the inside of extern "C" is file level
                function = function_head(file, head, head_start)
            depth += 1
        elif char == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                if function:
                    name, first_line, is_static = function
                    yield Function(name, first_line, file.line_of(match.start()), is_static)
                    function = None
                    head_start = match.end()
                elif "=" not in file.code[head_start:match.start()].split("{")[0]:
                    head_start = match.end()
        elif depth == 0:
            head_start = match.end()


def function_head(file, head, offset):
    """(name, first line, is static) if the text before a brace is a function's, else None."""
    plain = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", lambda m: spaces(m.group()), head)
    if "=" in re.sub(r"\([^()]*\)", "", plain) or re.match(r"\s*(typedef|enum)\b", plain):
        return None
    for match in NAME_BEFORE_ARGUMENTS.finditer(plain):
        if match.group(1) not in KEYWORDS:
            first = offset + len(head) - len(head.lstrip())
            return match.group(1), file.line_of(first), bool(re.search(r"\bstatic\b", plain))
    return None


class Tree:
    """The files under root that belong to the project. Folders that hold what was built or fetched are not it."""

    def __init__(self, root):
        self.root = root
        self.files = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and
                                not name.startswith(".") and not name.endswith(".egg-info"))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
                if os.path.isfile(os.path.join(root, path)) and is_text_name(name):
                    self.files.append(File(root, path))
        self.by_path = {file.path: file for file in self.files}

    def select(self, suffixes, tops=None):
        return [file for file in self.files if file.suffix in suffixes and (tops is None or file.top in tops)]

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))


def is_text_name(name):
    return (name in ("CMakeLists.txt", "Makefile", "LAYERS", "SKIPS") or
            os.path.splitext(name)[1].lstrip(".") in TEXT_SUFFIXES)


C_SUFFIXES = ("c", "h", "def", "cc", "cpp")
CODE_SUFFIXES = C_SUFFIXES + ("py", "pyi", "go", "ts", "mts", "cts", "js", "mjs", "cjs", "sh", "cmake", "i", "map")
TEXT_SUFFIXES = CODE_SUFFIXES + ("md", "txt", "toml", "json")
