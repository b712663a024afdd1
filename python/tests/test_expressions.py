"""Conditions, updates, filters, projections, indexes and transactions."""

import pickle
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


ALIEN = {"title": "Alien", "year": 1979}


def test_a_put_under_a_condition(movies):
    assert movies.put({**ALIEN, "stars": 4}, condition="attribute_not_exists(title)", returns="ALL_OLD") is None
    with pytest.raises(stator.ConditionalCheckFailedException) as caught:
        movies.put({**ALIEN, "stars": 5}, condition="attribute_not_exists(title)")
    assert caught.value.item == {**ALIEN, "stars": 4} and caught.value.reasons == ()
    assert pickle.loads(pickle.dumps(caught.value)).item == caught.value.item
    old = movies.put({**ALIEN, "stars": 5}, condition="#s < :five", names={"#s": "stars"}, values={":five": 5}, returns="ALL_OLD")
    assert old["stars"] == 4
    assert movies.put({**ALIEN, "stars": 6}, returns="NONE") is None
    with pytest.raises(stator.ConditionalCheckFailedException) as caught:
        movies.put({"title": "Brazil", "year": 1985}, condition="attribute_exists(title)")
    assert caught.value.item is None


def test_a_delete_under_a_condition(movies):
    movies.put({**ALIEN, "stars": 4})
    with pytest.raises(stator.ConditionalCheckFailedException) as caught:
        movies.delete(("Alien", 1979), condition="stars = :s", values={":s": 3})
    assert caught.value.item["stars"] == 4
    assert movies.delete(("Alien", 1979), condition="stars = :s", values={":s": 4}, returns="ALL_OLD")["stars"] == 4
    assert movies.delete(("Alien", 1979), returns="ALL_OLD") is None


def test_updates(movies):
    update = lambda text, **options: movies.update(("Alien", 1979), text, **options)
    assert update("SET rating = :r ADD seen :one", values={":r": Decimal("8.5"), ":one": 1}) is None
    assert movies.get(ALIEN) == {**ALIEN, "rating": Decimal("8.5"), "seen": 1}
    one = {"values": {":one": 1}}
    assert update("ADD seen :one", returns="ALL_NEW", **one) == {**ALIEN, "rating": Decimal("8.5"), "seen": 2}
    assert update("ADD seen :one", returns="ALL_OLD", **one) == {**ALIEN, "rating": Decimal("8.5"), "seen": 2}
    assert update("ADD seen :one", returns="UPDATED_NEW", **one) == {"seen": 4}
    assert update("ADD seen :one", returns="UPDATED_OLD", **one) == {"seen": 4}
    assert update("REMOVE #r", names={"#r": "rating"}, returns="ALL_NEW") == {**ALIEN, "seen": 5}
    with pytest.raises(stator.ConditionalCheckFailedException) as caught:
        update("SET seen = :n", condition="seen > :most", values={":n": 0, ":most": 9})
    assert caught.value.item["seen"] == 5
    assert movies.update({"title": "New", "year": 1}, "SET a = :a", values={":a": {"x"}}, returns="ALL_OLD", durability="none") is None
    assert movies["New", 1]["a"] == {"x"}


@pytest.mark.parametrize("call, text", [
    (lambda t: t.put(ALIEN, returns="ALL_NEW"), "returns must be one of ALL_OLD, NONE"),
    (lambda t: t.delete(ALIEN, returns=1), "returns must be"),
    (lambda t: t.update(ALIEN, "SET a = :a", values={":a": 1}, returns="all_new"), "returns must be one of ALL_NEW"),
    (lambda t: t.put(ALIEN, condition=5), "condition must be a str"),
    (lambda t: t.put(ALIEN, condition="a = \ud800"), "surrogate"),
    (lambda t: t.put(ALIEN, condition="a = :a", values=[1]), "values must be a dict"),
    (lambda t: t.put(ALIEN, condition="a = :a", values={":a": 0.5}), "float"),
    (lambda t: t.put(ALIEN, condition="a ="), "Invalid ConditionExpression"),
    (lambda t: t.put(ALIEN, condition="a = :a"), ":a"),
    (lambda t: t.put(ALIEN, names={"#a": "a"}), "xpression"),
    (lambda t: t.get(ALIEN, names={"#a": "a"}), "xpression"),
    (lambda t: t.get(ALIEN, projection="a, a"), "ProjectionExpression"),
    (lambda t: t.update(ALIEN, "SET title = :a", values={":a": "x"}), "part of the key"),
    (lambda t: t.query(), "needs partition or key_condition"),
    (lambda t: t.query("x", key_condition="title = :t", values={":t": "x"}), "takes partition and sort, or key_condition"),
    (lambda t: list(t.query("x", index="none")), "index"),
    (lambda t: t.query(["x"], index="none"), "does not have the specified index: none"),
    (lambda t: t.query(["x", "y"]), "1 attributes, not 2"),
    (lambda t: t.query(["x"], [stator.eq(1), stator.eq(2)]), "sort key has 1 attributes, not 2"),
    (lambda t: list(t.scan(filter="a =")), "FilterExpression"),
])
def test_what_is_wrong_is_told(movies, call, text):
    with pytest.raises(stator.ValidationException, match=text):
        call(movies)


def test_a_long_message_is_whole(movies):
    with pytest.raises(stator.ValidationException) as caught:
        movies.put(ALIEN, condition="title = :" + "v" * 250)
    assert len(caught.value.message) > 256 and "v" * 150 in caught.value.message


def test_projections(db, movies):
    movies.put({**ALIEN, "crew": ["Weaver", "Hurt"], "name": {"en": "Alien", "de": "Unheimlich"}})
    assert movies.get(ALIEN, projection="crew[1], #n.en", names={"#n": "name"}) == {"crew": ["Hurt"], "name": {"en": "Alien"}}
    assert movies.get(ALIEN, projection="nothing", consistent=True) == {}
    assert movies.get(("Brazil", 1985), projection="title") is None
    assert movies.batch_get([ALIEN, ("Brazil", 1985)], projection="#y", names={"#y": "year"}) == [{"year": 1979}, None]
    assert list(movies.query("Alien", projection="crew[0]")) == [{"crew": ["Weaver"]}]
    assert list(movies.scan(projection="#n.de", names={"#n": "name"})) == [{"name": {"de": "Unheimlich"}}]


def fill(table, count=20):
    for number in range(count):
        table.put({"title": "T", "year": number, "even": number % 2 == 0}, durability="none")


def years(items):
    return [int(item["year"]) for item in items]


def test_filters_and_key_conditions(movies):
    fill(movies)
    even = {"filter": "even = :yes", "values": {":yes": True}}
    assert years(movies.query("T", stator.ge(10), **even)) == [10, 12, 14, 16, 18]
    assert years(movies.query("T", limit=3, page_size=4, **even)) == [0, 2, 4]
    assert years(movies.scan(limit=3, **even)) == [0, 2, 4]
    condition = {"key_condition": "title = :t AND #y BETWEEN :a AND :b", "names": {"#y": "year"}}
    assert years(movies.query(values={":t": "T", ":a": 3, ":b": 5}, **condition)) == [3, 4, 5]
    assert years(movies.query(["T"], [stator.lt(3)], reverse=True)) == [2, 1, 0]
    seen, token = [], None
    while True:
        items = movies.query("T", limit=3, page_size=2, start_after=token, **even)
        seen += years(items)
        token = items.last_key
        if token is None:
            break
    assert seen == list(range(0, 20, 2))


SCORES = {
    "local": {"by_score": "score:N", "by_name": {"sort": "name:S", "projection": "KEYS_ONLY"}},
    "globals": {
        "by_genre": {"partition": "genre:S", "sort": "score:N", "projection": ["name"]},
        "by_all": {"partition": ["genre:S", "score:N"], "sort": ["name:S", "game:S"]},
        "by_kind": "kind:B",
    },
    "ttl": "expires",
    "stream": "NEW_AND_OLD_IMAGES",
}


@pytest.fixture
def scores(db):
    table = db.create_table("scores", "game:S", "at:N", **SCORES)
    for at in range(12):
        table.put({"game": "go", "at": at, "score": 12 - at, "genre": "board" if at % 2 else "old", "name": f"n{at % 3}", "x": at})
    return table


def test_a_table_says_what_it_is(db, scores):
    game, S, N = (("game", "S"),), (("score", "N"),), (("name", "S"),)
    again = db.table("scores")
    for table in (scores, again, db.table("scores", "game:S", "at:N"), db.table("scores", "game:S", "at:N", **SCORES)):
        assert table.indexes == {
            "by_score": stator.Index("local", game, S, "ALL"),
            "by_name": stator.Index("local", game, N, "KEYS_ONLY"),
            "by_genre": stator.Index("global", (("genre", "S"),), S, ("name",)),
            "by_all": stator.Index("global", (("genre", "S"), ("score", "N")), (("name", "S"), ("game", "S")), "ALL"),
            "by_kind": stator.Index("global", (("kind", "B"),), (), "ALL"),
        }
        assert (table.ttl, table.stream) == ("expires", "NEW_AND_OLD_IMAGES")
    plain = db.create_table("plain", "id:S")
    assert (plain.indexes, plain.ttl, plain.stream) == ({}, None, None)


@pytest.mark.parametrize("other, text", [
    ({"local": {"by_score": "x:N"}}, "other indexes"), ({"ttl": "x"}, "other ttl"), ({"stream": "KEYS_ONLY"}, "other stream"),
])
def test_opening_with_something_else_is_refused(db, scores, other, text):
    with pytest.raises(stator.ValidationException, match=text):
        db.table("scores", "game:S", "at:N", **other)


@pytest.mark.parametrize("options, text", [
    ({"local": {"a_b": "x"}}, "name:S"), ({"local": {"a_b": {"partition": "x:S"}}}, "has sort, projection"),
    ({"globals": {"a_b": {"sort": "x:S"}}}, "needs partition"), ({"globals": {"a_b": []}}, "needs partition"),
    ({"globals": {"a_b": {"partition": "x:S", "projection": "SOME"}}}, "projection must be"),
    ({"globals": {"a_b": [f"x{i}:S" for i in range(5)]}}, "at most 4"), ({"stream": "ALL"}, "stream must be"),
    ({"local": {"a_b": "x:S"}, "globals": {"a_b": "x:S"}}, "two indexes are called a_b"),
])
def test_wrong_definitions_are_refused(db, options, text):
    with pytest.raises(stator.ValidationException, match=text):
        db.create_table("table", "id:S", "at:N", **options)
    with pytest.raises(stator.ValidationException, match="need partition"):
        db.table("table", ttl="x")
    assert db.tables() == []


def test_indexes(scores):
    at = lambda items: [int(item["at"]) for item in items]
    assert at(scores.query("go", stator.le(3), index="by_score")) == [11, 10, 9]
    assert at(scores.query("board", index="by_genre", reverse=True, limit=2)) == [1, 3]
    assert "x" not in next(iter(scores.query("board", index="by_genre"))) and len(list(scores.scan(index="by_genre"))) == 12
    assert at(scores.query(["board", 11], index="by_all")) == [1]
    assert at(scores.query(["board", 11], [stator.eq("n1"), stator.begins_with("g")], index="by_all")) == [1]
    assert at(scores.query(["board", 11], [stator.lt("n1")], index="by_all")) == []
    found = scores.query(["board", 9], [stator.ge("n0")], index="by_all", filter="#x > :two", names={"#x": "x"}, values={":two": 2})
    assert at(found) == [3]
    assert list(scores.scan(index="by_kind")) == []
    first = scores.query("old", index="by_genre", limit=2)
    assert at(first) + at(scores.query("old", index="by_genre", start_after=first.last_key)) == [10, 8, 6, 4, 2, 0]


def test_expiry_obeys_the_clock(db, scores):
    import time

    scores.put({"game": "chess", "at": 1, "expires": int(time.time()) + 3600})
    db.move_clock(7200)
    assert scores.get(("chess", 1)) is None and scores.get(("go", 1)) is not None


def test_a_transaction_is_whole(db, movies):
    books = db.table("books", partition="id:S")
    with db.transaction() as t:
        t.put(movies, ALIEN)
        t.put(books, {"id": "a", "n": 1}, condition="attribute_not_exists(id)")
        t.update(books, "b", "SET n = :n", values={":n": 2})
        t.check(books, "c", "attribute_not_exists(id)")
        t.delete(books, "d")
        assert len(t) == 5 and books.get("a") is None
    assert books.batch_get(["a", "b"]) == [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
    with pytest.raises(stator.TransactionCanceledException) as caught, db.transaction() as t:
        t.delete(movies, ALIEN)
        t.put(books, {"id": "a", "n": 5}, condition="n > :n", values={":n": 3})
    assert caught.value.reasons == [
        stator.Reason("None", None, None),
        stator.Reason("ConditionalCheckFailed", "The conditional request failed", {"id": "a", "n": 1}),
    ]
    assert pickle.loads(pickle.dumps(caught.value)).reasons == caught.value.reasons
    assert movies.get(ALIEN) is not None
    with pytest.raises(ZeroDivisionError), db.transaction() as t:
        t.delete(movies, ALIEN)
        1 / 0
    assert movies.get(ALIEN) is not None
    with db.transaction():
        pass


def test_transact_write_and_get(db, movies):
    db.transact_write([stator.Put(movies, ALIEN), stator.Update(movies, ("B", 1), "SET a = :a", values={":a": 1})], durability="none")
    get = [stator.Get(movies, ("B", 1)), stator.Get(movies, ("C", 1)), stator.Get(movies, ALIEN, projection="title")]
    assert db.transact_get(get) == [{"title": "B", "year": 1, "a": 1}, None, {"title": "Alien"}]
    db.transact_write([stator.Delete(movies, ALIEN), stator.Check(movies, ("B", 1), "a = :a", values={":a": 1})])
    assert movies.get(ALIEN) is None
    assert db.transact_get([]) == [] and db.transact_write([]) is None


def test_a_token_makes_a_transaction_happen_once(db, movies):
    add = lambda n: [stator.Update(movies, ("A", 1), "ADD n :n", values={":n": n})]
    for _ in range(2):
        db.transact_write(add(1), token="once")
    assert movies["A", 1]["n"] == 1
    with pytest.raises(stator.StatorError) as caught:
        db.transact_write(add(2), token="once")
    assert caught.value.code == "TOKEN_MISMATCH"
    for token in ("", "x" * 37, 5):
        with pytest.raises(stator.ValidationException, match="token"):
            db.transact_write(add(1), token=token)


def test_wrong_entries_are_refused(db, movies):
    with stator.open(":memory:") as other:
        table = other.table("movies", partition="title:S")
        for wrong in ([stator.Get(movies, ALIEN)], [("put", movies, ALIEN)], [stator.Put(table, {"title": "x"})]):
            with pytest.raises(stator.ValidationException):
                db.transact_write(wrong)
        with pytest.raises(stator.ValidationException, match="another database"), db.transaction() as t:
            t.put(table, {"title": "x"})
    with pytest.raises(stator.ValidationException, match="stator.Get"):
        db.transact_get([stator.Put(movies, ALIEN)])
    twice = [stator.Put(movies, ALIEN), stator.Delete(movies, ALIEN)]
    with pytest.raises(stator.ValidationException, match="multiple operations"):
        db.transact_write(twice)


def test_floats_hold_in_details_too():
    with stator.open(":memory:", floats=True) as db:
        table = db.table("points", partition="id:S")
        table.put({"id": "a", "v": 0.5})
        with pytest.raises(stator.ConditionalCheckFailedException) as caught:
            table.put({"id": "a"}, condition="v > :v", values={":v": 1.5})
        assert caught.value.item == {"id": "a", "v": 0.5} and type(caught.value.item["v"]) is float
        with pytest.raises(stator.TransactionCanceledException) as caught:
            db.transact_write([stator.Check(table, "a", "v > :v", values={":v": 1.5})])
        assert type(caught.value.reasons[0].item["v"]) is float


def test_what_lies_on_disk_is_judged_and_projected_too(tmp_path):
    with stator.open(tmp_path / "db") as db:
        table = db.create_table("movies", "title:S", globals={"by_year": "year:N"})
        table.put({"title": "Alien", "year": 1979, "stars": 5})
        db.flush()
    with stator.open(tmp_path / "db") as db:
        assert db.table("movies").get("Alien", projection="stars") == {"stars": 5}
    with stator.open(tmp_path / "db") as db:
        table = db.table("movies")
        assert list(table.query(1979, index="by_year", projection="title")) == [{"title": "Alien"}]
        with pytest.raises(stator.ConditionalCheckFailedException) as caught:
            table.delete("Alien", condition="stars < :s", values={":s": 5})
        assert caught.value.item == {"title": "Alien", "year": 1979, "stars": 5}
        assert "by_year" in table.indexes and db.verify()
