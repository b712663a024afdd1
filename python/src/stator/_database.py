"""Databases and batches."""

import base64
import json
import os

from . import _definition as definitions
from . import _frames as frames
from . import _transact as transactions
from . import errors
from ._native import hot
from ._table import Table

DURABILITY = {None: 0, "sync": 1, "interval": 2, "none": 3}
FLOATS = 1
WORDING = {"current": 0, "old": 1, "new": 2}
CLOCK_MOST = 2**62 // 10**6


def durability_number(name):
    try:
        return DURABILITY[name]
    except (KeyError, TypeError):
        raise errors.make(6, errors.CALLER, -1, f"durability must be 'sync', 'interval' or 'none', not {name!r}") from None


def _whole(name, value, most):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise errors.make(6, errors.CALLER, -1, f"{name} must be a whole number, not {value!r}")
    return value


def open(
    path,
    *,
    create=True,
    read_only=False,
    durability=None,
    interval_ms=0,
    memory_budget_bytes=0,
    memtable_bytes=0,
    file_bytes=0,
    floats=False,
):
    """Opens the database in a directory, or a private one without files for ":memory:".

    create: make directory and database if they are missing. read_only: take no lock, write nothing. durability: what a write
    waits for: "sync" (the default: it survives power loss), "interval" (at most the last interval_ms are lost) or "none" (it
    survives the process). memory_budget_bytes: memtables, cache, filters and indexes, default 64 MiB. memtable_bytes: what is
    gathered before it is written to a sorted file. file_bytes: target size of a sorted file, default 32 MiB. 0 means the default.
    floats: let floats in, and give numbers back as int or float instead of Decimal.
    """
    token = hot.open(
        os.fsencode(path),
        int(bool(create)),
        int(bool(read_only)),
        durability_number(durability),
        _whole("interval_ms", interval_ms, 2**32 - 1),
        0,
        _whole("memory_budget_bytes", memory_budget_bytes, 2**64 - 1),
        _whole("memtable_bytes", memtable_bytes, 2**64 - 1),
        _whole("file_bytes", file_bytes, 2**64 - 1),
    )
    return Database(token, path, FLOATS if floats else 0)


def _body(body):
    """The JSON of a request as bytes; bytes in a dict become base64, as in the service's JSON."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, dict):

        def plain(value):
            if isinstance(value, (bytes, bytearray, memoryview)):
                return base64.b64encode(value).decode()
            raise TypeError(f"a value of type {type(value).__name__} has no place in a request: {value!r}")

        try:
            body = json.dumps(body, default=plain, ensure_ascii=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise errors.make(6, errors.CALLER, -1, str(error)) from None
    if not isinstance(body, str):
        raise errors.make(6, errors.CALLER, -1, f"body must be a str, bytes or a dict, not {type(body).__name__}")
    try:
        return body.encode()
    except UnicodeEncodeError:
        raise errors.make(6, errors.CALLER, -1, "body has a lone surrogate and is no UTF-8") from None


class Database:
    """An open database; made by open(). Use it as a context manager, or close() it."""

    def __init__(self, token, path, mode):
        self._token = token  # kept after closing: calls then say CLOSED
        self._is_open = True
        self._mode = mode
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __repr__(self):
        return f"<stator.Database {self.path!r}{'' if self._is_open else ' closed'}>"

    def __del__(self):
        try:
            self.close()
        except Exception:  # nothing useful can be done while an object goes away
            pass

    def close(self):
        """Syncs and closes; closing twice is fine. Iterators that are still open then raise ClosedError."""
        was_open, self._is_open = getattr(self, "_is_open", False), False
        if was_open:
            hot.close(self._token)

    def table(self, name, partition=None, sort=None, *, local=None, globals=None, ttl=None, stream=None):
        """Opens a table; with partition (and sort), "name:T" with T one of S, N and B, creates it when it is missing.

        Other keys than those the table has are a ValidationException, and so are other indexes, ttl or stream where they are
        given; all of them as for create_table.
        """
        if partition is None:
            if sort is not None or local or globals or ttl is not None or stream is not None:
                raise errors.make(6, errors.CALLER, -1, "sort, local, globals, ttl and stream need partition")
            return Table(self, *self._describe(name))
        table = self._create(name, partition, sort, local, globals, ttl, stream, frames.ENSURE)
        wanted = definitions.of(partition, sort, local, globals, ttl, stream)[2]
        for what, given in (("indexes", local or globals), ("ttl", ttl), ("stream", stream)):
            if given and getattr(table, what) != getattr(wanted, what):
                text = f"table {name} exists with other {what} than given: {getattr(table, what)!r}"
                raise errors.make(6, errors.CALLER, -1, text)
        return table

    def create_table(self, name, partition, sort=None, *, local=None, globals=None, ttl=None, stream=None):
        """Makes a new table; ResourceInUseException when the name is taken.

        local: {"by_year": "year:N"}, indexes that share the table's partition key. globals: {"by_genre": "genre:S"}, or with all
        of it {"by_genre": {"partition": "genre:S", "sort": "year:N", "projection": ["title"]}}; partition and sort may be lists
        of up to four attributes. projection: "ALL", "KEYS_ONLY", or the attributes kept besides the keys; local indexes take
        a dict with it too. ttl: the attribute with the time of expiry, in seconds since 1970. stream: "KEYS_ONLY",
        "NEW_IMAGE", "OLD_IMAGE" or "NEW_AND_OLD_IMAGES".
        """
        return self._create(name, partition, sort, local, globals, ttl, stream, 0)

    def _create(self, name, partition, sort, local, globals, ttl, stream, flags):
        definition = definitions.encode(*definitions.of(partition, sort, local, globals, ttl, stream))
        request = frames.request(
            frames.CREATE_TABLE,
            (frames.TABLE_NAME, name.encode()),
            (frames.DEFINITION, definition),
            (frames.FLAGS, frames.u32(flags)),
        )
        return Table(self, *self._read(request))

    def _describe(self, name):
        return self._read(frames.request(frames.DESCRIBE_TABLE, (frames.TABLE_NAME, name.encode())))

    def _read(self, request):
        answer = frames.results(hot.execute(self._token, request))
        return (*frames.read_table(answer[frames.RESULT_TABLE]), definitions.decode(answer[frames.RESULT_DEFINITION]))

    def delete_table(self, name):
        """Deletes a table with all its items."""
        hot.execute(self._token, frames.request(frames.DELETE_TABLE, (frames.TABLE_NAME, name.encode())))

    def tables(self):
        """The names of all tables, ascending."""
        names, start_after = [], None
        while True:
            request = frames.request(frames.LIST_TABLES, (frames.START_AFTER, start_after))
            answer = frames.results(hot.execute(self._token, request))
            names += frames.read_names(answer[frames.RESULT_NAMES])
            start_after = answer.get(frames.RESULT_LAST_KEY)
            if start_after is None:
                return names

    def batch(self, durability=None):
        """Puts and deletes over any tables, applied together when the `with` block ends without an exception."""
        return Batch(self, durability)

    def transaction(self, *, durability=None, token=None):
        """Writes over any tables under conditions, committed together when the `with` block ends without an exception.

        token: a name for the transaction; the same one again within ten minutes changes nothing.
        """
        return transactions.Transaction(self, durability_number(durability), token)

    def transact_write(self, entries, *, durability=None, token=None):
        """Applies stator.Put, Delete, Update and Check entries, all or none; TransactionCanceledException has .reasons."""
        transactions.write(self, entries, durability_number(durability), token)

    def transact_get(self, entries):
        """Reads stator.Get entries at one moment: a list with an item or None for each."""
        return transactions.get(self, entries)

    def dispatch(self, operation, body, *, region="", account="", wording="current"):
        """Answers one request of the DynamoDB JSON protocol as the service does: (HTTP status, body as bytes).

        operation: "PutItem", or with its prefix, "DynamoDB_20120810.PutItem". body: JSON as str or bytes, or the dict of it
        (bytes in it are written as base64). An error of the service is an answer, not an exception: 400 and its JSON. region and
        account: what ARNs say, us-east-1 and 000000000000 unless given. wording: of the texts of errors, "current" as most
        regions word each operation today, "old" or "new".
        """
        if wording not in WORDING:
            raise errors.make(6, errors.CALLER, -1, f"wording must be 'current', 'old' or 'new', not {wording!r}")
        return hot.dispatch(self._token, operation, _body(body), WORDING[wording], region, account)

    def move_clock(self, seconds):
        """For tests: from now on the clock of this database is that many seconds ahead of the system's (behind it, if negative).

        Expiry, retention of streams, tokens of transactions and times of creation obey it; 0 is where it begins. Items that
        have expired by then are gone when this returns.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not abs(seconds) <= CLOCK_MOST:
            raise errors.make(6, errors.CALLER, -1, f"seconds must be a number, not {seconds!r}")
        hot.clock_move(self._token, round(seconds * 10**6))

    def flush(self):
        """Writes what is in memory to sorted files."""
        hot.flush(self._token)

    def compact(self):
        """Flushes, then merges everything into one level, the deepest in use."""
        hot.compact(self._token)

    def verify(self):
        """Reads and checks every byte of every file; gives the report. Damage raises CorruptError, with the report."""
        report, failure = hot.verify(self._token)
        if failure is not None:
            failure.report = report
            raise failure
        return report

    def stats(self):
        """Counters since open, as a dict."""
        return hot.stats(self._token)


class Batch:
    """Collects puts and deletes; write() applies all of them, or none. As a context manager it writes at the end."""

    def __init__(self, database, durability):
        self._database = database
        self._durability = durability_number(durability)
        self._entries = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        if kind is None and self._entries:
            self.write()

    def __len__(self):
        return len(self._entries)

    def _add(self, operation, table, map):
        if table.database is not self._database:
            raise errors.make(6, errors.CALLER, -1, f"table {table.name} belongs to another database than the batch")
        self._entries.append((operation, table._id, map))

    def put(self, table, item):
        """Adds an item. The dict is read when the batch is written."""
        self._add(frames.PUT, table, item)

    def delete(self, table, key):
        """Adds a deletion; key: as for Table.get."""
        self._add(frames.DELETE, table, table.key(key))

    def write(self):
        """Applies the batch and empties it."""
        entries, self._entries = self._entries, []
        database = self._database
        hot.batch(database._token, frames.BATCH_WRITE, entries, self._durability, 0, database._mode)
