"""Random operations against a model: every answer is the same in memory, before and after flush, compaction and reopening."""

import random
from decimal import Decimal

import pytest

import stator

SORT_VALUES = {
    "S": ["", "a", "a\0", "a\0b", "ab", "abc", "b", "Z", "ä", "\uffee", "\U0001f600"][1:],
    "N": [Decimal(text) for text in ("-100", "-10.5", "-1", "-0.001", "0", "0.001", "1", "1.5", "2", "10", "99", "1E+20")],
    "B": [b"\0", b"\0\0", b"\0\xff", b"\1", b"a", b"ab", b"\xff", b"\xff\xff"],
}


def order(value):
    return value.encode() if isinstance(value, str) else value


def matches(condition, value):
    number, *bounds = condition
    value, bounds = order(value), [order(bound) for bound in bounds]
    return {
        1: lambda: value == bounds[0],
        2: lambda: value < bounds[0],
        3: lambda: value <= bounds[0],
        4: lambda: value > bounds[0],
        5: lambda: value >= bounds[0],
        6: lambda: bounds[0] <= value <= bounds[1],
        7: lambda: value.startswith(bounds[0]),
    }[number]()


class Machine:
    def __init__(self, seed, path, kind):
        self.random, self.path, self.kind = random.Random(seed), path, kind
        self.model = {}
        self.open()

    def open(self):
        self.db = stator.open(self.path, durability="none", memtable_bytes=65536, memory_budget_bytes=2**20, file_bytes=65536)
        self.table = self.db.table("model", partition="p:S", sort=f"s:{self.kind}")

    def key(self):
        return self.random.choice("xyz"), self.random.choice(SORT_VALUES[self.kind])

    def item(self, key):
        return {"p": key[0], "s": key[1], "v": self.random.randrange(1000), "pad": "." * self.random.randrange(300)}

    def write(self):
        key = self.key()
        if self.random.random() < 0.3:
            old = self.table.delete(key, return_old=True)
            assert old == self.model.pop(key, None)
        elif self.random.random() < 0.3:
            keys = {self.key() for _ in range(4)}
            with self.db.batch() as batch:
                for key in keys:
                    if self.random.random() < 0.5:
                        batch.delete(self.table, key)
                        self.model.pop(key, None)
                    else:
                        self.model[key] = self.item(key)
                        batch.put(self.table, self.model[key])
        else:
            item = self.item(key)
            assert self.table.put(item, return_old=True) == self.model.get(key)
            self.model[key] = item

    def condition(self):
        make = self.random.choice([None, stator.eq, stator.lt, stator.le, stator.gt, stator.ge, stator.between, stator.begins_with])
        if make is None or (make is stator.begins_with and self.kind == "N"):
            return None
        first, second = sorted(self.random.choices(SORT_VALUES[self.kind], k=2), key=order)
        return make(first, second) if make is stator.between else make(first)

    def check_query(self):
        partition, condition = self.random.choice("xyzq"), self.condition()
        reverse, limit = self.random.random() < 0.5, self.random.choice([None, 1, 3, 100])
        wanted = [item for key, item in self.model.items() if key[0] == partition and (not condition or matches(condition, key[1]))]
        wanted.sort(key=lambda item: order(item["s"]), reverse=reverse)
        options = {"reverse": reverse, "page_size": self.random.choice([None, 1, 2, 5]), "snapshot": self.random.random() < 0.5}
        got = list(self.table.query(partition, condition, limit=limit, **options))
        assert got == wanted[:limit]
        resumed, token = [], None
        while True:
            items = self.table.query(partition, condition, limit=2, start_after=token, **options)
            resumed += list(items)
            token = items.last_key
            if token is None:
                break
        assert resumed == wanted

    def check(self):
        for _ in range(15):
            self.check_query()
            key = self.key()
            assert self.table.get(key) == self.model.get(key)
        segments = self.random.choice([1, 2, 3, 7, 300])
        got = [item for i in range(segments) for item in self.table.scan(segment=i, segments=segments)]
        place = lambda item: (item["p"], order(item["s"]))
        assert sorted(got, key=place) == sorted(self.model.values(), key=place)
        keys = [self.key() for _ in range(6)]
        assert self.table.batch_get(keys) == [self.model.get(key) for key in keys]


@pytest.mark.parametrize("kind", "SNB")
@pytest.mark.parametrize("place", ["memory", "disk"])
def test_answers_never_depend_on_where_data_lies(tmp_path, kind, place):
    for seed in range(3):
        machine = Machine(seed, ":memory:" if place == "memory" else tmp_path / f"db{seed}", kind)
        for _ in range(6):
            for _ in range(60):
                machine.write()
            machine.check()
            machine.db.flush()
            machine.check()
            for _ in range(30):
                machine.write()
            machine.check()
            machine.db.compact()
            machine.check()
            if place == "disk":
                machine.db.close()
                machine.open()
                machine.check()
        machine.db.verify()
        machine.db.close()
