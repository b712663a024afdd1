"""Each option that the package has reaches the engine, and shows there."""

import random
import threading

import pytest

import stator


@pytest.fixture
def open_at(tmp_path):
    """open(name, **options): databases in folders of their own, closed at the end."""
    opened = []

    def open(name, **options):
        opened.append(stator.open(tmp_path / name, **options))
        return opened[-1]

    yield open
    for db in opened:
        db.close()


def fill(db, count, extra=1000):
    """Items that do not become smaller when they are compressed."""
    table = db.table("log", partition="host:S", sort="at:N")
    noise = random.Random(1)
    for at in range(count):
        table.put({"host": "web", "at": at, "extra": noise.randbytes(extra)})
    return table


def code_of(call, *words, **options):
    with pytest.raises(stator.StatorError) as caught:
        call(*words, **options)
    return caught.value.code


def test_create_and_read_only(open_at):
    assert code_of(open_at, "a", create=False) == "NOT_FOUND"
    with open_at("a") as db:
        fill(db, 3)
    with open_at("a", create=False, read_only=True) as db:
        table = db.table("log")
        assert len(list(table.scan())) == 3
        assert code_of(table.put, {"host": "web", "at": 9}) == "READ_ONLY"
        assert code_of(db.create_table, "other", "id:S") == "READ_ONLY"
        assert code_of(db.flush) == "READ_ONLY"


@pytest.mark.parametrize("durability, syncs", [(None, 10), ("sync", 10), ("interval", 0), ("none", 0)])
def test_durability_of_the_database(open_at, durability, syncs):
    db = open_at("a", durability=durability, interval_ms=60000)
    table = db.table("log", partition="host:S", sort="at:N")
    before = db.stats()["syncs"]
    for at in range(10):
        table.put({"host": "web", "at": at})
    stats = db.stats()
    assert stats["syncs"] - before == syncs
    assert (stats["durable_sequence"] == stats["applied_sequence"]) == (syncs > 0)


@pytest.mark.parametrize("durability, syncs", [("sync", 3), ("none", 0), (None, 0)])
def test_durability_of_single_writes(open_at, durability, syncs):
    db = open_at("a", durability="none")
    table = db.table("log", partition="host:S", sort="at:N")
    before = db.stats()["syncs"]
    table.put({"host": "web", "at": 1}, durability=durability)
    table.delete(("web", 1), durability=durability)
    with db.batch(durability=durability) as batch:
        batch.put(table, {"host": "web", "at": 2})
    assert db.stats()["syncs"] - before == syncs


def test_memory_budget_bytes(open_at):
    assert open_at("a").stats()["memory_budget_bytes"] == 64 << 20
    db = open_at("b", memory_budget_bytes=2 << 20)
    assert db.stats()["memory_budget_bytes"] == 2 << 20
    with pytest.raises(stator.ValidationException, match="memory_budget_bytes must be at least 1 MiB"):
        open_at("c", memory_budget_bytes=1)


def test_memtable_bytes_and_file_bytes(open_at):
    usual = open_at("usual", durability="none")
    fill(usual, 1000)
    assert usual.stats()["flushes"] == 0
    usual.compact()
    assert sum(usual.stats()["level_files"]) == 1
    small = open_at("small", durability="none", memtable_bytes=128 << 10, file_bytes=128 << 10)
    fill(small, 1000)
    assert small.stats()["flushes"] > 3  # a writer waits before more than a few pile up
    small.compact()
    assert sum(small.stats()["level_files"]) > 3


@pytest.mark.parametrize("option, value", [
    ("read_only", True), ("durability", "none"), ("interval_ms", 99), ("memory_budget_bytes", 2 << 20),
    ("memtable_bytes", 1 << 20), ("file_bytes", 1 << 20),
])
def test_the_engine_is_told_each_option(open_at, option, value):
    """A second opening in one process with another value is refused by the name of the option."""
    open_at("a")
    with pytest.raises(stator.ValidationException, match=option):
        open_at("a", **{option: value})
    open_at("b", **{option: value}) if option != "read_only" else None


@pytest.mark.parametrize("options, text", [
    ({"interval_ms": 60001}, "interval_ms must be 1..60,000"), ({"interval_ms": -1}, "interval_ms must be a whole number"),
    ({"interval_ms": 2**32 + 100}, "interval_ms must be a whole number"), ({"file_bytes": -1}, "file_bytes must be a whole"),
    ({"memory_budget_bytes": 2.5}, "memory_budget_bytes must be a whole"), ({"memtable_bytes": 2**64}, "memtable_bytes must be"),
    ({"durability": "often"}, "durability must be"),
])
def test_values_that_make_no_sense_are_refused(open_at, options, text):
    with pytest.raises(stator.ValidationException, match=text):
        open_at("a", **options)


def test_reads_consistent_or_not_see_each_acknowledged_write(open_at):
    db = open_at("a")
    table = db.table("log", partition="host:S", sort="at:N")
    thread = threading.Thread(target=table.put, args=({"host": "web", "at": 1},))
    thread.start()
    thread.join()
    for consistent in (False, True):
        assert table.get(("web", 1), consistent=consistent)
        assert len(list(table.query("web", consistent=consistent))) == 1
        assert len(list(table.scan(consistent=consistent))) == 1


def test_return_old(open_at):
    table = open_at("a").table("notes", partition="id:S")
    assert table.put({"id": "a", "v": 1}) is None
    assert table.put({"id": "a", "v": 2}, return_old=True)["v"] == 1
    assert table.delete("a") is None
    assert table.delete("a", return_old=True) is None


def numbers(items):
    return [int(item["at"]) for item in items]


def test_limit_reverse_and_start_after(open_at):
    table = fill(open_at("a", durability="none"), 6, extra=0)
    assert numbers(table.query("web", limit=2)) == numbers(table.scan(limit=2)) == [0, 1]
    assert numbers(table.query("web", reverse=True)) == [5, 4, 3, 2, 1, 0]
    for first in (table.query("web", limit=2), table.scan(limit=2)):
        list(first)
        assert numbers(table.query("web", start_after=first.last_key)) == [2, 3, 4, 5]
        assert numbers(table.scan(start_after=first.last_key)) == [2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["query", "scan"])
@pytest.mark.parametrize("options, rest", [
    ({"page_size": 1}, [1, 2, 3]), ({"page_size": 100}, [1, 2]), ({}, [1, 2]), ({"page_size": 1, "snapshot": True}, [1, 2]),
])
def test_page_size_and_snapshot_say_which_moment_is_seen(open_at, kind, options, rest):
    table = fill(open_at("a", durability="none"), 3, extra=0)
    items = table.query("web", **options) if kind == "query" else table.scan(**options)
    next(items)
    table.put({"host": "web", "at": 3})
    assert numbers(items) == rest


def test_segments(open_at):
    db = open_at("a", durability="none")
    table = db.table("points", partition="id:N")
    for number in range(64):
        table.put({"id": number})
    parts = [{item["id"] for item in table.scan(segment=part, segments=4)} for part in range(4)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 64 and max(map(len, parts)) < 64
    for segment, segments in ((4, 4), (-1, 4), (0, 0), (None, 4), (1, None), (0, 1_000_001), ("0", 4)):
        with pytest.raises(stator.ValidationException, match="segment"):
            table.scan(segment=segment, segments=segments)


def test_stats_have_every_field_of_the_header(open_at):
    from stator import raw

    fields = {name for name in vars(raw.stator_stats) if not name.startswith("_") and name not in ("struct_size", "thisown")}
    assert "memory_used_bytes" in fields
    assert set(open_at("a").stats()) == fields
