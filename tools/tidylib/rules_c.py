"""Rules about C: layers, private headers, banned calls, lengths, names that must be unique."""
import re

from tidylib.source import C_SUFFIXES, Finding

FUNCTION_LINES = 70
COLUMNS = 100

BANNED = set("""
    malloc calloc realloc reallocarray aligned_alloc posix_memalign free strdup strndup alloca
    strcpy stpcpy strcat strncpy strncat sprintf vsprintf gets
    printf fprintf vprintf vfprintf dprintf puts fputs putchar perror
    time localtime gmtime gettimeofday clock clock_gettime nanosleep usleep sleep
    open openat creat close read write pread pwrite fsync fdatasync ftruncate rename unlink mkdir rmdir opendir
    fopen fdopen freopen fread fwrite fclose mmap munmap mprotect ioctl fcntl flock stat fstat lstat
    abort exit _exit quick_exit atexit raise kill signal sigaction longjmp siglongjmp setjmp
    rand srand random srandom getrandom getentropy getenv setenv system popen fork execve
""".split())
BANNED_PREFIX = "pthread_"
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")

# file -> calls that are its purpose. Everything under core/env may call what it needs.
ALLOWED = {
    "core/base/memory.c": {"malloc", "calloc", "realloc", "free"},
    "core/base/status.c": {"fprintf", "abort"},  # ST_ASSERT, which release builds do not have
}


def read_layers(tree):
    """core/LAYERS: folder -> (line, the folders it may include), in rank order."""
    layers = {}
    with open(tree.root + "/core/LAYERS", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                folder, _, others = line.partition(":")
                layers[folder.strip()] = (number, others.split())
    return layers


def layers(tree):
    """Includes inside core follow core/LAYERS; apps and ffi see only what the design gives them."""
    if not tree.exists("core/LAYERS"):
        return 0, []
    found = []
    ranks = read_layers(tree)
    above = set()
    for folder, (line, others) in ranks.items():
        found += [Finding("core/LAYERS", line, "layers", "%s includes %s, which does not stand above it" % (folder, other))
                  for other in others if other not in above]
        above.add(folder)
    files = tree.select(C_SUFFIXES, ("core", "ffi", "apps"))
    for file in files:
        if file.path == "ffi/unity.c":
            continue
        if file.room is not None and file.room not in ranks:
            found.append(Finding(file.path, 1, "layers", "core/LAYERS does not list the folder %s" % file.room))
            continue
        for line, path in file.includes:
            message = include_fault(tree, file, path, ranks)
            if message:
                found.append(Finding(file.path, line, "layers", message))
    return len(files), found


def include_fault(tree, file, path, ranks):
    target = path.split("/")[0] if "/" in path else None
    if file.room is not None:
        if target not in ranks:
            return "include \"%s\" with its path from core/" % path
        if target == file.room:
            return None
        if target not in ranks[file.room][1]:
            return "%s may not include %s (core/LAYERS)" % (file.room, target)
        return None if is_face(path) else "only the face %s/%s.h may be included here" % (target, target)
    if target not in ranks:
        return None
    if file.top == "apps" and target != "base":
        return "apps see stator.h and base, not %s" % target
    return None if is_face(path) else "only the face %s/%s.h may be included here" % (target, target)


def is_face(path):
    """x/x.h, or a table of x such as x/y.def, which a face may be generated from."""
    folder, _, name = path.partition("/")
    return name == folder + ".h" or name.endswith(".def")


def private_headers(tree):
    """A *_internal.h belongs to its folder; only tests may look inside as well."""
    found = []
    files = [file for file in tree.select(C_SUFFIXES) if file.top != "tests"]
    for file in files:
        for line, path in file.includes:
            folder = path.rpartition("/")[0]
            own = file.folder == folder or file.folder.endswith("/" + folder) or not folder
            if path.endswith("_internal.h") and not own:
                found.append(Finding(file.path, line, "private-header", "%s is private to %s" % (path, folder)))
    return len(files), found


def function_length(tree):
    files = [file for file in tree.select(C_SUFFIXES, ("core", "ffi", "apps"))]
    found = []
    for file in files:
        for function in file.functions:
            lines = function.last_line - function.first_line + 1
            if lines > FUNCTION_LINES:
                found.append(Finding(file.path, function.first_line, "function-length",
                                     "%s has %d lines, at most %d" % (function.name, lines, FUNCTION_LINES)))
    return len(files), found


def columns(tree):
    files = tree.select(C_SUFFIXES)
    return len(files), [
        Finding(file.path, number, "columns", "%d columns, at most %d" % (len(line.expandtabs(4)), COLUMNS))
        for file in files for number, line in enumerate(file.lines, 1) if len(line.expandtabs(4)) > COLUMNS]


def banned_calls(tree):
    """Calls that bypass the allocator, the Env or the caller. Declaring a field or parameter of that name is no call."""
    files = [file for file in tree.select(C_SUFFIXES, ("core", "ffi")) if file.room != "env"]
    found = []
    for file in files:
        allowed = ALLOWED.get(file.path, set())
        for match in CALL.finditer(blank_define_names(file.code_and_macros)):
            name = match.group(1)
            if (name in BANNED or name.startswith(BANNED_PREFIX)) and name not in allowed:
                found.append(Finding(file.path, file.line_of(match.start(1)), "banned-call",
                                     "%s() belongs to env or base/memory.c" % name))
    return len(files), found


def blank_define_names(code):
    return re.sub(r"^[ \t]*#.*?\bdefine[ \t]+\w+", lambda match: " " * len(match.group()), code, flags=re.M)


def unique_statics(tree):
    """All sources also compile as one file, so what is local to a file has a name of its own in the whole tree."""
    files = tree.select(("c", "h"), ("core", "ffi"))
    found, owners = [], {}
    for file in files:
        names = {(function.name, function.first_line) for function in file.functions if function.is_static}
        if file.suffix == "c":
            names |= local_macros(file)
        for name, line in sorted(names, key=lambda pair: pair[1]):
            other = owners.setdefault(name, file.path)
            if other != file.path:
                found.append(Finding(file.path, line, "unique-static", "%s is also local to %s" % (name, other)))
    return len(files), found


def local_macros(file):
    """Macros that a .c file defines and does not undefine."""
    undefined = set(re.findall(r"^[ \t]*#[ \t]*undef[ \t]+(\w+)", file.without_comments, re.M))
    return {(match.group(1), file.line_of(match.start()))
            for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", file.without_comments, re.M)
            if match.group(1) not in undefined}


RULES = [("layers", layers), ("private-header", private_headers), ("function-length", function_length),
         ("columns", columns), ("banned-call", banned_calls), ("unique-static", unique_statics)]
