"""Transactions: several writes under their conditions, or several reads of one moment, over any tables."""

from . import _expressions as expressions
from . import _frames as frames
from ._expressions import invalid
from ._native import hot

TOKEN_MOST = 36


class Entry:
    """One entry of a transaction: made by Put, Delete, Update, Check or Get."""

    def __init__(self, operation, table, map, **options):
        self._operation = operation
        self.table = table
        self._map = map
        self._extra = expressions.fields(table.database._mode, **options)

    def _place(self, database):
        if self.table.database is not database:
            raise invalid(f"table {self.table.name} belongs to another database than the transaction")
        extra = self._extra
        if self._operation != frames.GET:
            extra += frames.join((frames.FLAGS, frames.u32(frames.RETURN_ON_FAILURE)))
        return self._operation, self.table._id, self._map, extra


def Put(table, item, *, condition=None, names=None, values=None):
    """Writes an item, if the condition holds for the one it replaces."""
    return Entry(frames.PUT, table, item, condition=condition, names=names, values=values)


def Delete(table, key, *, condition=None, names=None, values=None):
    """Deletes by key, if the condition holds."""
    return Entry(frames.DELETE, table, table.key(key), condition=condition, names=names, values=values)


def Update(table, key, expression, *, condition=None, names=None, values=None):
    """Changes attributes of an item, or makes one, if the condition holds."""
    return Entry(frames.UPDATE, table, table.key(key), update=expression, condition=condition, names=names, values=values)


def Check(table, key, condition, *, names=None, values=None):
    """Writes nothing; the transaction happens only if the condition holds."""
    return Entry(frames.CHECK, table, table.key(key), condition=condition, names=names, values=values)


def Get(table, key, *, projection=None, names=None):
    """Reads an item, or the parts of it that the projection names."""
    return Entry(frames.GET, table, table.key(key), projection=projection, names=names)


def _places(database, entries, is_write):
    places = []
    for entry in entries:
        if not isinstance(entry, Entry) or (entry._operation == frames.GET) is is_write:
            wanted = "Put, Delete, Update or Check" if is_write else "Get"
            raise invalid(f"an entry of this transaction is made by stator.{wanted}, not {entry!r}")
        places.append(entry._place(database))
    return places


def write(database, entries, level, token):
    places = _places(database, entries, True)
    raw = None
    if token is not None:
        raw = token.encode() if isinstance(token, str) else b""
        if not 1 <= len(raw) <= TOKEN_MOST:
            raise invalid(f"a token is a str of 1 to {TOKEN_MOST} bytes, not {token!r}")
    if places:
        extra = frames.join((frames.TOKEN, raw))
        hot.batch(database._token, frames.TRANSACT_WRITE, places, level, 0, database._mode, extra)


def get(database, entries):
    places = _places(database, entries, False)
    return hot.batch(database._token, frames.TRANSACT_GET, places, 0, 0, database._mode) if places else []


class Transaction:
    """Collects writes; commit() applies all of them, or none. As a context manager it commits at the end."""

    def __init__(self, database, level, token):
        self._database = database
        self._level = level
        self._token = token
        self._entries = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        if kind is None:
            self.commit()

    def __len__(self):
        return len(self._entries)

    def _add(self, entry):
        entry._place(self._database)
        self._entries.append(entry)

    def put(self, table, item, *, condition=None, names=None, values=None):
        """Adds an item, to be written if the condition holds. The dict is read at the commit."""
        self._add(Put(table, item, condition=condition, names=names, values=values))

    def delete(self, table, key, *, condition=None, names=None, values=None):
        """Adds a deletion."""
        self._add(Delete(table, key, condition=condition, names=names, values=values))

    def update(self, table, key, expression, *, condition=None, names=None, values=None):
        """Adds an update."""
        self._add(Update(table, key, expression, condition=condition, names=names, values=values))

    def check(self, table, key, condition, *, names=None, values=None):
        """Adds a condition that must hold for the transaction to happen."""
        self._add(Check(table, key, condition, names=names, values=values))

    def commit(self):
        """Applies the writes and forgets them; TransactionCanceledException, with .reasons, when one may not be."""
        entries, self._entries = self._entries, []
        write(self._database, entries, self._level, self._token)
