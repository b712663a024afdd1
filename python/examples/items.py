"""Every type of value, in and out. python items.py [FOLDER]"""

import sys
from decimal import Decimal

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    things = db.table("things", partition="id:S")
    things.put(
        {
            "id": "a",
            "text": "grüezi",
            "count": 42,
            "price": Decimal("9.99"),
            "open": True,
            "nothing": None,
            "bytes": b"\x00\x01",
            "tags": {"red", "green"},
            "sizes": {38, 40},
            "list": [1, "two", [3]],
            "map": {"deep": {"deeper": "yes"}},
        }
    )
    item = things.get("a")
    print(item["text"], item["count"], item["price"], item["open"], item["nothing"])  # → grüezi 42 9.99 True None
    print(item["bytes"], sorted(item["tags"]))  # → b'\x00\x01' ['green', 'red']
    print(item["list"], item["map"])  # → [Decimal('1'), 'two', [Decimal('3')]] {'deep': {'deeper': 'yes'}}

    # Absence is None, or KeyError in brackets.
    print(things.get("b"), "b" in things, "a" in things)  # → None False True
    try:
        things["b"]
    except KeyError as error:
        print("no", error)  # → no 'b'

    old = things.put({"id": "a", "text": "new"}, return_old=True)
    print(old["text"])  # → grüezi
    print(things.delete("a", return_old=True))  # → {'id': 'a', 'text': 'new'}
    things.delete("a")  # what is absent may be deleted
