"""One table."""

from datetime import datetime, timezone

from . import _frames as frames
from . import errors
from ._native import hot
from ._query import Items


class Table:
    """A handle of one table; made by Database.table(). It needs no closing."""

    def __init__(self, database, table_id, created_us, keys, name):
        self.database = database
        self.name = name
        self.keys = tuple(keys)
        self.created = datetime.fromtimestamp(created_us / 1e6, timezone.utc)
        self._id = table_id
        self._names = tuple(key for key, _ in keys)

    def __repr__(self):
        return f"<stator.Table {self.name!r} {' '.join(':'.join(key) for key in self.keys)}>"

    def key(self, key):
        """The key as a dict: from a dict, a tuple of values, or the one value of a table without sort key."""
        if type(key) is dict:
            return key
        values = key if isinstance(key, (tuple, list)) else (key,)
        if len(values) != len(self._names):
            raise errors.make(
                6, errors.CALLER, -1, f"table {self.name} has {len(self._names)} key attributes, the key has {len(values)} values"
            )
        return dict(zip(self._names, values))

    def put(self, item, *, durability=None, return_old=False):
        """Writes an item, replacing one of the same key. With return_old gives the item that was replaced, or None."""
        from ._database import durability_number

        level = 0 if durability is None else durability_number(durability)
        flags = frames.RETURN_OLD if return_old else 0
        database = self.database
        return hot.put(database._token, self._id, item, level, flags, database._mode)

    def get(self, key, *, consistent=False):
        """The item with this key as a dict, or None. key: a dict, or the values in the order of the schema."""
        database = self.database
        flags = frames.CONSISTENT if consistent else 0
        return hot.get(database._token, self._id, self.key(key), flags, database._mode)

    def __getitem__(self, key):
        """table["Alien", 1979]: the item, or KeyError."""
        item = self.get(key)
        if item is None:
            raise KeyError(key)
        return item

    def __contains__(self, key):
        return self.get(key) is not None

    def delete(self, key, *, durability=None, return_old=False):
        """Deletes by key; deleting what is absent is fine. With return_old gives the item that was deleted, or None."""
        from ._database import durability_number

        level = 0 if durability is None else durability_number(durability)
        flags = frames.RETURN_OLD if return_old else 0
        database = self.database
        return hot.delete(database._token, self._id, self.key(key), level, flags, database._mode)

    def batch_get(self, keys):
        """The items of many keys in one call: a list with one element for each key, None where there is none."""
        database = self.database
        entries = [(frames.GET, self._id, self.key(key)) for key in keys]
        if not entries:
            return []
        return hot.batch(database._token, frames.BATCH_GET, entries, 0, 0, database._mode)

    def query(
        self,
        partition,
        sort=None,
        *,
        limit=None,
        reverse=False,
        page_size=None,
        start_after=None,
        consistent=False,
        snapshot=False,
    ):
        """Iterates over the items of one partition in the order of the sort key.

        sort: a condition, as stator.ge(1970). limit: items over all pages. page_size: items fetched at once. start_after: a
        last_key to resume behind. snapshot: the whole iteration sees one moment.
        """
        mode = self.database._mode
        fields = [(frames.PARTITION, hot.encode(partition, mode))]
        if sort is not None:
            number, *values = sort
            fields.append((frames.SORT, bytes((number,)) + b"".join(hot.encode(value, mode) for value in values)))
        flags = (
            (frames.REVERSE if reverse else 0)
            | (frames.CONSISTENT if consistent else 0)
            | (frames.SNAPSHOT if snapshot else 0)
        )
        return Items(self, frames.QUERY, fields, flags, limit, page_size, start_after)

    def scan(
        self, *, limit=None, segment=None, segments=None, page_size=None, start_after=None, consistent=False, snapshot=False
    ):
        """Iterates over all items. segment and segments: one of that many disjoint parts, for scanning in parallel."""
        fields = []
        if segment is not None or segments is not None:
            if type(segment) is not int or type(segments) is not int or not 0 <= segment < segments <= 1_000_000:
                text = f"segment and segments go together, 0 <= segment < segments <= 1,000,000: not {segment!r} of {segments!r}"
                raise errors.make(6, errors.CALLER, -1, text)
            fields.append((frames.SEGMENT, frames.u32(segment) + frames.u32(segments)))
        flags = (frames.CONSISTENT if consistent else 0) | (frames.SNAPSHOT if snapshot else 0)
        return Items(self, frames.SCAN, fields, flags, limit, page_size, start_after)
