"""One table."""

from datetime import datetime, timezone

from . import _expressions as expressions
from . import _frames as frames
from . import errors
from ._native import hot
from ._query import Items


OLD = (None, "NONE", "ALL_OLD")


class Table:
    """A handle of one table; made by Database.table(). It needs no closing.

    indexes: name -> Index, ttl: the attribute of expiry or None, stream: its view or None, as they were when the handle was made.
    """

    def __init__(self, database, table_id, created_us, keys, name, definition):
        self.database = database
        self.name = name
        self.keys = tuple(keys)
        self.created = datetime.fromtimestamp(created_us / 1e6, timezone.utc)
        self.indexes, self.ttl, self.stream = definition
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

    def _words(self, map, durability, return_old, condition, names, values, returns, legal=OLD, update=None):
        """What the calls that write take."""
        from ._database import durability_number

        database = self.database
        level = 0 if durability is None else durability_number(durability)
        flags = frames.RETURN_OLD if return_old else 0
        extra = b""
        if not (condition is None and names is None and values is None and returns is None and update is None):
            extra = expressions.fields(database._mode, names, values, returns, legal, condition=condition, update=update)
            flags |= frames.RETURN_ON_FAILURE if condition is not None else 0
        return database._token, self._id, map, level, flags, database._mode, extra

    def put(self, item, *, condition=None, names=None, values=None, returns=None, durability=None, return_old=False):
        """Writes an item, replacing one of the same key.

        condition: must hold for the item that is there, as "attribute_not_exists(title)"; ConditionalCheckFailedException, with
        .item, when it does not. names and values: what #name and :value in it stand for. returns="ALL_OLD", or return_old:
        gives the item that was replaced, or None.
        """
        return hot.put(*self._words(item, durability, return_old, condition, names, values, returns))

    def update(self, key, expression, *, condition=None, names=None, values=None, returns=None, durability=None):
        """Changes attributes of the item with this key, or makes one: "SET rating = :r ADD seen :one REMOVE draft".

        returns: "ALL_OLD", "UPDATED_OLD", "ALL_NEW" or "UPDATED_NEW"; gives that, or None. The rest is as for put.
        """
        legal = expressions.RETURNS
        return hot.update(*self._words(self.key(key), durability, False, condition, names, values, returns, legal, expression))

    def get(self, key, *, consistent=False, projection=None, names=None):
        """The item with this key as a dict, or None. key: a dict, or the values in the order of the schema.

        projection: the parts of it to give, as "title, crew[0], #n"; names: what #n stands for.
        """
        database = self.database
        flags = frames.CONSISTENT if consistent else 0
        if projection is None and names is None:
            return hot.get(database._token, self._id, self.key(key), flags, database._mode)
        extra = expressions.fields(database._mode, names, projection=projection)
        return hot.get(database._token, self._id, self.key(key), flags, database._mode, extra)

    def __getitem__(self, key):
        """table["Alien", 1979]: the item, or KeyError."""
        item = self.get(key)
        if item is None:
            raise KeyError(key)
        return item

    def __contains__(self, key):
        return self.get(key) is not None

    def delete(self, key, *, condition=None, names=None, values=None, returns=None, durability=None, return_old=False):
        """Deletes by key; deleting what is absent is fine. The rest is as for put."""
        return hot.delete(*self._words(self.key(key), durability, return_old, condition, names, values, returns))

    def batch_get(self, keys, *, projection=None, names=None):
        """The items of many keys in one call: a list with one element for each key, None where there is none."""
        database = self.database
        extra = expressions.fields(database._mode, names, projection=projection)
        entries = [(frames.GET, self._id, self.key(key), extra) for key in keys]
        if not entries:
            return []
        return hot.batch(database._token, frames.BATCH_GET, entries, 0, 0, database._mode)

    def _index_key(self, index):
        """(partition, sort) of an index, or of the table itself, as ((name, letter), ...) each."""
        if index is None:
            return self.keys[:1], self.keys[1:]
        if index not in self.indexes:
            self.indexes = self.database._describe(self.name)[4].indexes
        if index not in self.indexes:
            raise errors.make(6, errors.CALLER, -1, f"The table does not have the specified index: {index}")
        return self.indexes[index].partition, self.indexes[index].sort

    def _query_fields(self, partition, sort, key_condition, index, names, values, texts):
        """The fields that say which items: a partition and a sort condition, or a key condition for all that is more."""
        mode, fields = self.database._mode, []
        if key_condition is not None:
            if partition is not None or sort is not None:
                raise errors.make(6, errors.CALLER, -1, "a query takes partition and sort, or key_condition")
        elif partition is None:
            raise errors.make(6, errors.CALLER, -1, "a query needs partition or key_condition")
        elif isinstance(partition, list) or isinstance(sort, list):
            partitions, sorts = self._index_key(index)
            built = expressions.KeyCondition(names, values)
            built.partition(partitions, partition if isinstance(partition, list) else [partition])
            built.sort(sorts, sort if isinstance(sort, list) else [] if sort is None else [sort])
            key_condition, names, values = built.text(), built.names, built.values
        else:
            fields.append((frames.PARTITION, hot.encode(partition, mode)))
            if sort is not None:
                number, *operands = sort
                fields.append((frames.SORT, bytes((number,)) + b"".join(hot.encode(value, mode) for value in operands)))
        extra = expressions.fields(mode, names, values, key_condition=key_condition, index=index, **texts)
        return fields, extra

    def query(
        self,
        partition=None,
        sort=None,
        *,
        key_condition=None,
        index=None,
        filter=None,
        projection=None,
        names=None,
        values=None,
        limit=None,
        reverse=False,
        page_size=None,
        start_after=None,
        consistent=False,
        snapshot=False,
    ):
        """Iterates over the items of one partition in the order of the sort key.

        sort: a condition, as stator.ge(1970). index: reads that index; for one with keys of several attributes partition is the
        list of their values, and sort a list of conditions. key_condition: says both as an expression, "title = :t AND year > :y".
        filter: an expression that items must meet. projection: the parts of them to give. names and values: what #name and
        :value in the expressions stand for. limit: items over all pages, behind the filter. page_size: items read at once,
        before it. start_after: a last_key to resume behind. snapshot: the whole iteration sees one moment.
        """
        texts = {"filter": filter, "projection": projection}
        fields, extra = self._query_fields(partition, sort, key_condition, index, names, values, texts)
        flags = (
            (frames.REVERSE if reverse else 0)
            | (frames.CONSISTENT if consistent else 0)
            | (frames.SNAPSHOT if snapshot else 0)
        )
        return Items(self, frames.QUERY, fields, flags, limit, page_size, start_after, extra)

    def scan(
        self,
        *,
        index=None,
        filter=None,
        projection=None,
        names=None,
        values=None,
        limit=None,
        segment=None,
        segments=None,
        page_size=None,
        start_after=None,
        consistent=False,
        snapshot=False,
    ):
        """Iterates over all items. segment and segments: one of that many disjoint parts, for scanning in parallel.

        The rest is as for query.
        """
        fields = []
        if segment is not None or segments is not None:
            if type(segment) is not int or type(segments) is not int or not 0 <= segment < segments <= 1_000_000:
                text = f"segment and segments go together, 0 <= segment < segments <= 1,000,000: not {segment!r} of {segments!r}"
                raise errors.make(6, errors.CALLER, -1, text)
            fields.append((frames.SEGMENT, frames.u32(segment) + frames.u32(segments)))
        flags = (frames.CONSISTENT if consistent else 0) | (frames.SNAPSHOT if snapshot else 0)
        mode = self.database._mode
        extra = expressions.fields(mode, names, values, index=index, filter=filter, projection=projection)
        return Items(self, frames.SCAN, fields, flags, limit, page_size, start_after, extra)
