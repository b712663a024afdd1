"""What a table is: its keys, indexes, expiry and stream. The bytes are those of docs/formats/catalog.md."""

import struct
from collections import namedtuple

from . import _frames as frames
from . import errors

SCHEMA, INDEX, TTL, STREAM = 1, 2, 3, 4
INDEX_NAME, INDEX_KIND, INDEX_SCHEMA, INDEX_PROJECTION, INDEX_INCLUDE = 1, 2, 3, 4, 5
KINDS = ("", "local", "global")
PROJECTIONS = {"ALL": 1, "KEYS_ONLY": 2}
INCLUDE = 3
VIEWS = (None, "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
PARTS_MOST = 4

Index = namedtuple("Index", "kind partition sort projection")
Index.__doc__ = """An index: kind is "local" or "global"; partition and sort are tuples of (name, letter); projection is "ALL",
"KEYS_ONLY", or the tuple of the attributes that it keeps besides its keys."""

Definition = namedtuple("Definition", "indexes ttl stream")


def invalid(text):
    return errors.make(6, errors.CALLER, -1, text)


def key(text):
    """("name", "S") of "name:S"."""
    name, colon, letter = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not colon or not name or letter not in frames.TYPES:
        raise invalid(f"the key {text!r} is not 'name:S', 'name:N' or 'name:B'")
    return name, letter


def _keys(what):
    """The parts of an index key: one "name:S", or up to four of them in a list."""
    parts = what if isinstance(what, (list, tuple)) else [] if what is None else [what]
    if len(parts) > PARTS_MOST:
        raise invalid(f"a key of an index has at most {PARTS_MOST} partition and {PARTS_MOST} sort attributes: {what!r}")
    return tuple(key(part) for part in parts)


def index(kind, name, given, table_partition):
    """An Index from what the caller wrote: "name:S", or a dict of partition, sort and projection."""
    main = "sort" if kind == "local" else "partition"
    given = given if isinstance(given, dict) else {main: given}
    known = ("sort", "projection") if kind == "local" else ("partition", "sort", "projection")
    for word in given:
        if word not in known:
            raise invalid(f"index {name}: a {kind} index has {', '.join(known)}, not {word!r}")
    if not given.get(main):
        raise invalid(f"index {name}: a {kind} index needs {main}")
    partition = table_partition if kind == "local" else _keys(given["partition"])
    projection = given.get("projection", "ALL")
    if not isinstance(projection, str) and isinstance(projection, (list, tuple)):
        projection = tuple(projection)
    elif projection not in PROJECTIONS:
        raise invalid(f"index {name}: projection must be 'ALL', 'KEYS_ONLY' or a list of attributes, not {projection!r}")
    return Index(kind, partition, _keys(given.get("sort")), projection)


def of(partition, sort, local, globals, ttl, stream):
    """(partition, sort, Definition) of what the caller wrote."""
    keys, sorts = (key(partition),), (key(sort),) if sort is not None else ()
    indexes = {}
    for kind, given in (("local", local), ("global", globals)):
        for name, one in (given or {}).items():
            if name in indexes:
                raise invalid(f"two indexes are called {name}")
            indexes[name] = index(kind, name, one, keys)
    if stream not in VIEWS:
        raise invalid(f"stream must be one of {', '.join(VIEWS[1:])}, not {stream!r}")
    return keys, sorts, Definition(indexes, ttl, stream)


def _encode_index(name, one):
    number = PROJECTIONS.get(one.projection, INCLUDE) if isinstance(one.projection, str) else INCLUDE
    includes = one.projection if number == INCLUDE else ()
    return frames.join(
        (INDEX_NAME, name.encode()),
        (INDEX_KIND, bytes((KINDS.index(one.kind),))),
        (INDEX_SCHEMA, frames.schema(one.partition, one.sort)),
        (INDEX_PROJECTION, bytes((number,))),
        *((INDEX_INCLUDE, attribute.encode()) for attribute in includes),
    )


def encode(partition, sort, definition):
    stream = definition.stream and struct.pack("<IBQ", 0, VIEWS.index(definition.stream), 0)
    return b"\x01" + frames.join(
        (SCHEMA, frames.schema(partition, sort)),
        *((INDEX, _encode_index(name, one)) for name, one in definition.indexes.items()),
        (TTL, None if definition.ttl is None else struct.pack("<I", 0) + definition.ttl.encode()),
        (STREAM, stream),
    )


def _decode_index(payload):
    fields, includes = {}, []
    for number, value in frames.walk(payload, 0):
        if number == INDEX_INCLUDE:
            includes.append(value.decode())
        fields[number] = value
    partition, sort, _ = frames.read_schema(fields[INDEX_SCHEMA])
    names = {number: name for name, number in PROJECTIONS.items()}
    projection = names.get(fields[INDEX_PROJECTION][0], tuple(includes))
    return fields[INDEX_NAME].decode(), Index(KINDS[fields[INDEX_KIND][0]], partition, sort, projection)


def decode(payload):
    indexes, ttl, stream = {}, None, None
    for number, value in frames.walk(payload, 1):
        if number == INDEX:
            name, one = _decode_index(value)
            indexes[name] = one
        elif number == TTL:
            ttl = value[4:].decode() or None
        elif number == STREAM:
            stream = VIEWS[value[4]]
    return Definition(indexes, ttl, stream)
