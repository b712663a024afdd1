"""Request and result frames that are not hot: docs/formats/request.md, result.md."""

import struct

CREATE_TABLE, DESCRIBE_TABLE, LIST_TABLES, DELETE_TABLE = 1, 2, 3, 4
PUT, GET, DELETE, BATCH_WRITE, BATCH_GET, QUERY, SCAN = 5, 6, 7, 8, 9, 10, 11
UPDATE, CHECK, TRANSACT_WRITE, TRANSACT_GET = 12, 13, 14, 15

TABLE_NAME, TABLE_ID, FLAGS, SCHEMA, PARTITION, LIMIT = 1, 2, 7, 8, 9, 10
SORT, PAGE_ITEMS, START_AFTER, SEGMENT = 11, 12, 14, 15
CONDITION, UPDATE_TEXT, FILTER, PROJECTION, KEY_CONDITION, NAMES, VALUES = 128, 129, 130, 131, 132, 133, 134
INDEX, RETURNS, DEFINITION, TOKEN = 135, 136, 137, 139

CACHED_ONLY, CONSISTENT, RETURN_OLD, REVERSE, SNAPSHOT, ENSURE = 1, 2, 4, 8, 16, 32
RETURN_ON_FAILURE = 64

RESULT_LAST_KEY, RESULT_TABLE, RESULT_NAMES, RESULT_DEFINITION = 3, 5, 6, 13
DETAIL_TEXT, DETAIL_ITEM, DETAIL_REASONS = 1, 2, 3

TYPES = {"S": 1, "N": 2, "B": 3}
LETTERS = {number: letter for letter, number in TYPES.items()}


def join(*fields):
    """(number, payload) fields one behind the other; a payload of None is left out."""
    parts = []
    for number, payload in fields:
        if payload is not None:
            parts.append(struct.pack("<BI", number, len(payload)))
            parts.append(payload)
    return b"".join(parts)


def request(operation, *fields):
    """A frame of fields."""
    return bytes((1, operation)) + join(*fields)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def read_text(data, at):
    size, at = read_varint(data, at)
    return data[at : at + size].decode(), at + size


def walk(data, at):
    """The fields of data from a place on, as (number, payload)."""
    while at < len(data):
        number, size = struct.unpack_from("<BI", data, at)
        yield number, data[at + 5 : at + 5 + size]
        at += 5 + size


def results(frame):
    """The fields of a result frame as a dict of number to payload."""
    return dict(walk(frame, 2))


def schema(partition, sort):
    """partition and sort: (name, letter) of the attributes of each."""
    out = bytes((len(partition), len(sort)))
    for name, letter in (*partition, *sort):
        raw = name.encode()
        out += bytes((TYPES[letter],)) + varint(len(raw)) + raw
    return out


def read_schema(payload, at=0):
    """(partition, sort, where it ends), each part a tuple of (name, letter)"""
    counts, keys = payload[at : at + 2], []
    at += 2
    for _ in range(sum(counts)):
        letter = LETTERS[payload[at]]
        name, at = read_text(payload, at + 1)
        keys.append((name, letter))
    return tuple(keys[: counts[0]]), tuple(keys[counts[0] :]), at


def read_table(payload):
    """(id, created in microseconds, keys, name)"""
    table_id, created_us = struct.unpack_from("<IQ", payload)
    partition, sort, at = read_schema(payload, 12)
    name, at = read_text(payload, at)
    return table_id, created_us, partition + sort, name


def read_reasons(payload):
    """(number, text, item frame) of each entry of a cancelled transaction"""
    (count,) = struct.unpack_from("<I", payload)
    at, reasons = 4, []
    for _ in range(count):
        parts, number = [], payload[at]
        at += 1
        for _ in range(2):
            (size,) = struct.unpack_from("<I", payload, at)
            parts.append(payload[at + 4 : at + 4 + size])
            at += 4 + size
        reasons.append((number, parts[0].decode(), parts[1]))
    return reasons


def read_names(payload):
    (count,) = struct.unpack_from("<I", payload)
    at, names = 4, []
    for _ in range(count):
        name, at = read_text(payload, at)
        names.append(name)
    return names
