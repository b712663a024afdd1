"""Request and result frames that are not hot: docs/formats/request.md, result.md."""

import struct

CREATE_TABLE, DESCRIBE_TABLE, LIST_TABLES, DELETE_TABLE = 1, 2, 3, 4
PUT, GET, DELETE, BATCH_WRITE, BATCH_GET, QUERY, SCAN = 5, 6, 7, 8, 9, 10, 11

TABLE_NAME, TABLE_ID, FLAGS, SCHEMA, PARTITION, LIMIT = 1, 2, 7, 8, 9, 10
SORT, PAGE_ITEMS, START_AFTER, SEGMENT = 11, 12, 14, 15

CACHED_ONLY, CONSISTENT, RETURN_OLD, REVERSE, SNAPSHOT, ENSURE = 1, 2, 4, 8, 16, 32

RESULT_LAST_KEY, RESULT_TABLE, RESULT_NAMES = 3, 5, 6

TYPES = {"S": 1, "N": 2, "B": 3}
LETTERS = {number: letter for letter, number in TYPES.items()}


def request(operation, *fields):
    """A frame of (number, payload) fields; a payload of None is left out."""
    parts = [bytes((1, operation))]
    for number, payload in fields:
        if payload is not None:
            parts.append(struct.pack("<BI", number, len(payload)))
            parts.append(payload)
    return b"".join(parts)


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


def results(frame):
    """The fields of a result frame as a dict of number to payload."""
    fields, at = {}, 2
    while at < len(frame):
        number, size = struct.unpack_from("<BI", frame, at)
        fields[number] = frame[at + 5 : at + 5 + size]
        at += 5 + size
    return fields


def schema(keys):
    """keys: (name, letter) of the partition key and, if there is one, the sort key."""
    out = bytes((1, len(keys) - 1))
    for name, letter in keys:
        raw = name.encode()
        out += bytes((TYPES[letter],)) + varint(len(raw)) + raw
    return out


def read_table(payload):
    """(id, created in microseconds, keys, name)"""
    table_id, created_us, partitions, sorts = struct.unpack_from("<IQBB", payload)
    at, keys = 14, []
    for _ in range(partitions + sorts):
        letter = LETTERS[payload[at]]
        name, at = read_text(payload, at + 1)
        keys.append((name, letter))
    name, at = read_text(payload, at)
    return table_id, created_us, keys, name


def read_names(payload):
    (count,) = struct.unpack_from("<I", payload)
    at, names = 4, []
    for _ in range(count):
        name, at = read_text(payload, at)
        names.append(name)
    return names
