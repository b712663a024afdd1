import os
import pickle
import signal
import subprocess
import sys
import threading
from decimal import Decimal

import pytest

import stator


@pytest.fixture
def db():
    with stator.open(":memory:") as db:
        yield db


@pytest.fixture
def movies(db):
    return db.table("movies", partition="title:S", sort="year:N")


def test_the_first_lines_run_twice_on_one_directory(tmp_path):
    for _ in range(2):
        with stator.open(tmp_path / "shop.stator") as db:
            movies = db.table("movies", partition="title:S", sort="year:N")
            movies.put({"title": "Alien", "year": 1979, "crew": {"Weaver", "Scott"}})
            found = list(movies.query("Alien", sort=stator.ge(1970), limit=10))
            assert found == [{"title": "Alien", "year": Decimal(1979), "crew": {"Weaver", "Scott"}}]
            assert isinstance(found[0]["year"], Decimal)


def test_every_type_goes_both_ways(movies):
    item = {"title": "x\0\U0001f600", "year": Decimal("1"), "b": b"\0\xff", "t": True, "f": False, "n": None, "ss": {"a", "b"},
            "ns": {Decimal("1.5"), Decimal(-2)}, "bs": {b"", b"x"}, "l": [1, "x", [None]], "m": {"k": {"d": Decimal("0.1")}},
            "big": Decimal("12345678901234567890123456789012345678"), "tiny": Decimal("1E-130"),
            "huge": Decimal("9.9999999999999999999999999999999999999E+125"), "neg": Decimal("-1234.5678"), "small": Decimal("0.000123")}
    movies.put(item)
    assert movies.get((item["title"], 1)) == item
    assert movies[item["title"], 1] == item
    assert (item["title"], 1) in movies


@pytest.mark.parametrize("value", [0, 1, -1, 10**17, 10**18, 10**37, -(10**37), 2**100, Decimal("1E+20"), Decimal("1.10"),
                                   Decimal("-0"), Decimal("123456789.123456789"), Decimal("5E-7")])
def test_numbers_are_exact(movies, value):
    movies.put({"title": "n", "year": 1, "v": value})
    assert movies["n", 1]["v"] == value


def test_floats_are_opted_into(movies):
    with pytest.raises(stator.ValidationException, match="float 0.5 is refused"):
        movies.put({"title": "x", "year": 1, "f": 0.5})
    with stator.open(":memory:", floats=True) as db:
        table = db.table("t12", partition="id:N")
        table.put({"id": 1, "f": 0.5, "i": 3, "d": Decimal("2.5")})
        assert table.get(1) == {"id": 1, "f": 0.5, "i": 3, "d": 2.5}
        assert isinstance(table.get(1)["i"], int)
        with pytest.raises(stator.ValidationException, match="numeric"):
            table.put({"id": 1, "f": float("nan")})


@pytest.mark.parametrize("item, text", [
    ({"title": "x"}, "Missing the key year"),
    ({"title": 1, "year": 1}, "Type mismatch for key title expected: S actual: N"),
    ({"title": "", "year": 1}, "empty string value"),
    ({"title": "x", "year": 1, "s": set()}, "empty set"),
    ({"title": "x", "year": 1, "s": {1, "a"}}, "one type"),
    ({"title": "x", "year": 1, "o": object()}, "cannot be stored"),
    ({"title": "x", "year": 1, 2: 3}, "names must be strings"),
    ({"title": "\ud800", "year": 1}, "surrogate"),
    ({"title": "x", "year": 1, "n": Decimal("NaN")}, "numeric"),
    ({"title": "x", "year": 1, "n": 10**38 + 1}, "38 significant digits"),
    ({"title": "x", "year": 1, "n": "x" * 409600}, "maximum allowed size"),
    (["title"], "must be a dict"),
])
def test_what_cannot_be_stored_is_refused(movies, item, text):
    with pytest.raises(stator.ValidationException, match=text) as caught:
        movies.put(item)
    assert isinstance(caught.value, ValueError) and caught.value.code == "INVALID_ARGUMENT"


def test_a_value_that_contains_itself_is_refused(movies):
    item = {"title": "x", "year": 1}
    item["self"] = item
    with pytest.raises(stator.ValidationException, match="Nesting"):
        movies.put(item)


def test_old_items_deletes_and_absence(movies):
    assert movies.put({"title": "A", "year": 1, "v": 1}, return_old=True) is None
    assert movies.put({"title": "A", "year": 1, "v": 2}, return_old=True, durability="none")["v"] == 1
    assert movies.delete(("A", 1), return_old=True)["v"] == 2
    movies.delete({"title": "A", "year": 1})
    assert movies.get(("A", 1)) is None
    with pytest.raises(KeyError):
        movies["A", 1]
    with pytest.raises(stator.ValidationException, match="2 key attributes"):
        movies.get("A")
    with pytest.raises(stator.ValidationException, match="durability"):
        movies.put({"title": "A", "year": 1}, durability="never")


def test_batches_are_whole(db, movies):
    with db.batch() as batch:
        for year in range(50):
            batch.put(movies, {"title": "T", "year": year})
    with pytest.raises(ZeroDivisionError), db.batch() as batch:
        batch.delete(movies, ("T", 1))
        1 / 0
    with pytest.raises(stator.ValidationException, match="duplicates"), db.batch() as batch:
        batch.put(movies, {"title": "T", "year": 1})
        batch.delete(movies, ("T", 1))
    got = movies.batch_get([("T", 3), ("T", 99), ("T", 4)])
    assert [item and item["year"] for item in got] == [3, None, 4]
    assert movies.batch_get([]) == []


def test_queries_scans_and_tokens(movies):
    for year in range(30):
        movies.put({"title": "T", "year": year}, durability="none")
        movies.put({"title": f"U{year}", "year": year}, durability="none")
    years = lambda *a, **k: [int(m["year"]) for m in movies.query("T", *a, **k)]
    assert years(stator.eq(5)) == [5]
    assert years(stator.lt(2)) == [0, 1]
    assert years(stator.le(2)) == [0, 1, 2]
    assert years(stator.gt(28)) == [29]
    assert years(stator.between(4, 6), reverse=True) == [6, 5, 4]
    assert years(limit=4, page_size=3, snapshot=True, consistent=True) == [0, 1, 2, 3]
    with pytest.raises(stator.ValidationException, match="schema type"):
        years(stator.begins_with("1"))
    with pytest.raises(stator.ValidationException, match="limit"):
        years(limit=0)
    seen, token = [], None
    while True:
        items = movies.query("T", limit=7, page_size=4, start_after=token)
        seen += [int(m["year"]) for m in items]
        token = items.last_key
        if token is None:
            break
    assert seen == list(range(30))
    keys = {(m["title"], m["year"]) for i in range(4) for m in movies.scan(segment=i, segments=4)}
    assert len(keys) == 60
    assert len(list(movies.scan(limit=11))) == 11
    with movies.scan() as items:
        next(items)
    other = movies.database.table("other", partition="id:S")
    first = movies.scan(limit=1)
    list(first)
    with pytest.raises(stator.ValidationException, match="another table"):
        list(other.scan(start_after=first.last_key))


def test_tables(db, movies):
    with pytest.raises(stator.ResourceInUseException):
        db.create_table("movies", "x:S")
    with pytest.raises(stator.ValidationException, match="other keys"):
        db.table("movies", partition="x:S")
    with pytest.raises(stator.ResourceNotFoundException) as caught:
        db.table("nothing")
    assert isinstance(caught.value, LookupError)
    with pytest.raises(stator.ValidationException, match="name:S"):
        db.create_table("t12", "x")
    db.create_table("books", "id:B")
    assert db.tables() == ["books", "movies"]
    assert db.table("movies").keys == (("title", "S"), ("year", "N"))
    db.flush()
    db.compact()
    assert "manifest" in db.verify()
    assert db.stats()["table_count"] == 2
    db.delete_table("movies")
    with pytest.raises(stator.ResourceNotFoundException):
        movies.put({"title": "x", "year": 1})


def test_closing_twice_and_using_what_is_closed(tmp_path):
    db = stator.open(tmp_path / "db")
    movies = db.table("movies", partition="title:S")
    for title in "abc":
        movies.put({"title": title})
    items = movies.scan(page_size=1)
    next(items)
    db.close()
    db.close()
    with pytest.raises(stator.StatorError) as caught:
        next(items)
    assert caught.value.code == "CLOSED"
    for call in (lambda: movies.get("a"), lambda: movies.put({"title": "d"}), db.tables, db.flush, db.verify, db.stats, movies.scan):
        with pytest.raises(stator.StatorError) as caught:
            call()
        assert caught.value.code == "CLOSED"
    assert repr(db).endswith(" closed>")
    items.close()


def test_errors_pickle_and_damage_is_told(tmp_path):
    error = pickle.loads(pickle.dumps(stator.errors.make(13, 1, -1, "locked by pid 7")))
    assert error.code == "LOCKED" and error.retryable and str(error) == "locked by pid 7"
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(stator.StatorError, match="letter.txt") as caught:
        stator.open(tmp_path)
    assert caught.value.code == "NOT_A_DATABASE"
    with stator.open(tmp_path / "db") as db:
        db.table("t12", partition="id:S").put({"id": "x", "v": "y" * 100})
    log = max((tmp_path / "db").glob("*.log"), key=lambda path: path.stat().st_size)
    content = bytearray(log.read_bytes())
    content[150] ^= 4
    log.write_bytes(content)
    with pytest.raises(stator.InternalServerError, match=log.name) as caught:
        stator.open(tmp_path / "db")
    assert caught.value.code == "CORRUPT"


def test_a_killed_writer_loses_nothing_it_was_told_of(tmp_path):
    program = """if True:
        import sys, stator
        db = stator.open(sys.argv[1])
        table = db.table("t12", partition="id:N")
        for i in range(10**9):
            table.put({"id": i, "v": "x" * (i % 500)})
            print(i, flush=True)
    """
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "db")], stdout=subprocess.PIPE, text=True)
    told = -1
    for line in writer.stdout:
        told = int(line)
        if told == 300:
            with pytest.raises(stator.StatorError, match=f"locked by pid {writer.pid}"):
                stator.open(tmp_path / "db")
            os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    with stator.open(tmp_path / "db") as db:
        table = db.table("t12")
        for i in range(told + 1):
            assert table.get(i) == {"id": i, "v": "x" * (i % 500)}
        db.verify()


def test_threads(movies):
    failures = []

    def work(number):
        for i in range(200):
            item = {"title": f"T{number}", "year": i, "v": "v" * i}
            movies.put(item)
            if movies.get((f"T{number}", i)) != item:
                failures.append(item)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(list(movies.scan())) == 800


def test_the_raw_module_is_whole():
    from stator import raw

    assert raw.stator_status_name(13) == "LOCKED"
    assert raw.stator_abi_version() == 1
    for name in ("stator_put", "stator_cursor_next_page", "stator_query_sort_begins_with"):
        assert callable(getattr(raw, name))
