"""Options, flushing, compacting, checking, counting. python upkeep.py [FOLDER]"""

import sys

import stator

path = sys.argv[1] if len(sys.argv) > 1 else ":memory:"
with stator.open(path, durability="interval", interval_ms=50, memory_budget_bytes=16 << 20) as db:
    points = db.table("points", partition="id:N")
    for number in range(1000):
        points.put({"id": number})  # power loss takes at most the last 50 ms
    points.put({"id": 1000}, durability="sync")  # this one, and all before it, are safe
    db.flush()
    db.compact()
    print("manifest" in db.verify())  # → True
    stats = db.stats()
    print(stats["table_count"], stats["flushes"] >= 1, stats["memory_budget_bytes"])  # → 1 True 16777216
