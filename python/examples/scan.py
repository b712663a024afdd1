"""Scans, whole and in parts. python scan.py [FOLDER]"""

import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:", durability="none") as db:
    points = db.table("points", partition="id:N")
    for number in range(100):
        points.put({"id": number})
    print(sum(1 for _ in points.scan(page_size=10)))  # → 100

    # Four parts that share no item: one for each thread.
    parts = [list(points.scan(segment=part, segments=4)) for part in range(4)]
    print(sum(len(part) for part in parts))  # → 100

    some = points.scan(limit=30)
    print(len(list(some)), len(list(points.scan(start_after=some.last_key))))  # → 30 70

    items = points.scan(snapshot=True)
    next(items)
    items.close()  # lets go of the snapshot without waiting for the garbage collector
