"""Python's cost of one put and one get, with timeit: an item in memory, no sync. Prints a row each, as bench.c does."""
import json
import resource
import timeit

import stator

OPS = 20000
VALUE = b"v" * 100


def row(workload, seconds):
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "bench": "languages", "workload": workload, "engine": "stator " + stator.__version__, "layer": "python", "threads": 1,
        "item_bytes": 111, "durability": "none", "ops": OPS, "seconds": seconds,
        "rss_bytes": usage.ru_maxrss * 1024}))


with stator.open(":memory:", durability="none") as db:
    table = db.table("bench", partition="p:S", sort="s:N")
    numbers = iter(range(10 * OPS))
    put = timeit.Timer(lambda: table.put({"p": "p000123", "s": next(numbers) % 1000, "v": VALUE}))
    put.timeit(OPS // 4)
    row("put", put.timeit(OPS))
    assert table.get(("p000123", 7))["v"] == VALUE
    get = timeit.Timer(lambda: table.get(("p000123", next(numbers) % 1000)))
    get.timeit(OPS // 4)
    row("get", get.timeit(OPS))
