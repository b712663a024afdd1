"""Which room of the house includes which, and the picture of it in docs/architecture.md.

A row of the picture is a room, a mark in it an arrow to the room of the column: it includes that room's face. Rooms stand in the
order of core/LAYERS, so that every mark below the diagonal is an arrow downwards, and one above it would be a circle.
"""
import collections

from tidylib.rules_c import read_layers
from tidylib.source import C_SUFFIXES, Finding

PAGE = "docs/architecture.md"
BEGIN, END = "<!-- drawn by tools/structure.py -->\n", "<!-- end -->\n"
ROOFS = ("ffi", "apps")  # what stands above core, in order


def room_of(file):
    """The room of a C file: a folder of core, or what stands above core; None for tests, packages and tools."""
    if file.room is not None:
        return file.room
    return file.top if file.top in ROOFS else None


def arrows(tree):
    """{(room, room it includes): number of includes}."""
    found, rooms = collections.Counter(), {*read_layers(tree), "ffi"}
    for file in tree.select(C_SUFFIXES, ("core",) + ROOFS):
        if file.path == "ffi/unity.c":
            continue  # includes every source, as a compiler would be given them
        for _, path in file.includes:
            target = "ffi" if path == "stator.h" else path.split("/")[0] if "/" in path else None
            if room_of(file) and target in rooms and target != room_of(file):
                found[room_of(file), target] += 1
    return found


def rooms_of(tree):
    """Rooms that have files, lowest first."""
    present = {room_of(file) for file in tree.select(C_SUFFIXES)}
    return [room for room in [*read_layers(tree), *ROOFS] if room in present]


def picture(tree):
    rooms, found, allowed = rooms_of(tree), arrows(tree), read_layers(tree)
    allowed = {room: set(others) for room, (_, others) in allowed.items()}
    allowed["ffi"], allowed["apps"] = set(rooms) - set(ROOFS), {"base", "ffi"}
    width = max(map(len, rooms))
    lines = [" " * width + "  " + " ".join(rooms)]
    for room in rooms:
        marks = []
        for other in rooms:
            mark = "■" if room == other else "●" if (room, other) in found else "·" if other in allowed[room] else " "
            marks.append(mark.center(len(other)))
        lines.append(room.ljust(width) + "  " + " ".join(marks).rstrip())
    return "```text\n" + "\n".join(lines) + "\n```\n"


def drawn(text, tree):
    """The page with the picture as it is now; None when it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + begin + picture(tree) + end + after if end else None


def fresh_picture(tree):
    """The picture of the rooms is what the includes make of it now."""
    if not tree.exists("core/LAYERS") or PAGE not in tree.by_path or BEGIN not in tree.by_path[PAGE].text:
        return 0, []
    page = tree.by_path[PAGE]
    line = page.line_of(page.text.index(BEGIN))
    if drawn(page.text, tree) == page.text:
        return 1, []
    return 1, [Finding(PAGE, line, "picture", "the includes have changed: python3 tools/structure.py --write")]


RULES = [("picture", fresh_picture)]
