"""Queries: conditions, order, limits, resuming, one moment. python query.py [FOLDER]"""

import sys

import stator
from stator import begins_with, between, eq, ge, gt, le, lt

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    log = db.table("log", partition="host:S", sort="at:N")
    with db.batch() as batch:
        for at in range(1, 10):
            batch.put(log, {"host": "web", "at": at})

    def times(*condition, **options):
        return " ".join(str(entry["at"]) for entry in log.query("web", *condition, **options))

    print(times())  # → 1 2 3 4 5 6 7 8 9
    print(times(eq(3)))  # → 3
    print(times(lt(3)))  # → 1 2
    print(times(le(3)))  # → 1 2 3
    print(times(gt(7)))  # → 8 9
    print(times(ge(7)))  # → 7 8 9
    print(times(between(4, 6)))  # → 4 5 6
    print(times(reverse=True, limit=3))  # → 9 8 7

    # last_key is a few bytes that resume the query whenever you like, also in another process.
    first = log.query("web", limit=4)
    print(len(list(first)))  # → 4
    print(times(start_after=first.last_key))  # → 5 6 7 8 9

    files = db.table("files", partition="disk:S", sort="path:S")
    files.put({"disk": "c", "path": "usr/bin"})
    files.put({"disk": "c", "path": "var/log"})
    print([file["path"] for file in files.query("c", begins_with("usr/"))])  # → ['usr/bin']

    # A snapshot sees one moment: what is written meanwhile stays unseen. `with` lets go of it early.
    with log.query("web", snapshot=True, page_size=2) as entries:
        next(entries)
        log.put({"host": "web", "at": 10})
        print(len(list(entries)))  # → 8
    log.delete(("web", 10))
