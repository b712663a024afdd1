"""Queries and scans as iterators, and conditions on the sort key."""

from . import _frames as frames
from . import errors
from ._native import hot


def eq(value):
    """= value"""
    return (1, value)


def lt(value):
    """< value"""
    return (2, value)


def le(value):
    """<= value"""
    return (3, value)


def gt(value):
    """> value"""
    return (4, value)


def ge(value):
    """>= value"""
    return (5, value)


def between(low, high):
    """low <= sort key <= high"""
    return (6, low, high)


def begins_with(value):
    """Sort keys of type S or B that begin with value."""
    return (7, value)


def _count(name, value, most):
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise errors.make(6, errors.CALLER, -1, f"{name} must be a whole number of at least 1, not {value!r}")
    return value


class Items:
    """The items of a query or scan. An iterator, and a context manager that lets go of the snapshot early.

    last_key resumes a later query or scan, with start_after, exactly behind the last item of the pages fetched so far: when
    the iteration ended because of `limit`, that is the last item it gave. It is None when nothing is left.
    """

    def __init__(self, table, operation, fields, flags, limit, page_size, start_after, extra):
        self.table = table
        self.last_key = start_after
        self._mode = table.database._mode
        limit = _count("limit", limit, 2**63)
        page_size = _count("page_size", page_size, 2**31)
        request = frames.request(
            operation,
            (frames.TABLE_ID, frames.u32(table._id)),
            *fields,
            (frames.FLAGS, frames.u32(flags) if flags else None),
            (frames.LIMIT, None if limit is None else frames.u64(limit)),
            (frames.PAGE_ITEMS, None if page_size is None else frames.u32(page_size)),
            (frames.START_AFTER, start_after),
        )
        request += extra
        self._left = limit
        self._page, self._at = [], 0
        self._cursor = hot.cursor_open(table.database._token, request)

    def __iter__(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __del__(self):
        self.close()

    def close(self):
        """Ends the iteration."""
        cursor, self._cursor = getattr(self, "_cursor", 0), 0
        if cursor:
            hot.cursor_free(cursor)

    def __next__(self):
        while self._at == len(self._page):
            if not self._cursor:
                raise StopIteration
            self._page, self.last_key = hot.cursor_page(self._cursor, self._mode)
            self._at = 0
            if self._left is not None:
                self._left -= len(self._page)
            if self.last_key is None or (self._left is not None and self._left <= 0):
                self.close()
        item = self._page[self._at]
        self._at += 1
        return item
