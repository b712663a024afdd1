"""The JSON protocol and the clock."""

import json
import threading
from decimal import Decimal

import pytest

import stator


@pytest.fixture
def db():
    with stator.open(":memory:") as db:
        yield db


@pytest.mark.parametrize("operation", ["Nothing", "DynamoDB_20120810.Nothing"])
@pytest.mark.parametrize("body", ["{}", b"{}", bytearray(b"{}"), memoryview(b"{}"), {}])
def test_what_the_service_does_not_know_is_an_answer(db, operation, body):
    status, answer = db.dispatch(operation, body)
    assert status == 400 and isinstance(answer, bytes)
    assert json.loads(answer)["__type"].endswith("#UnknownOperationException")


def test_what_one_way_writes_the_other_reads(db):
    table = db.table("movies", partition="title:S")
    item = {"title": {"S": "Alien"}, "poster": {"B": b"\0\xff"}, "stars": {"N": "4.5"}}
    assert db.dispatch("PutItem", {"TableName": "movies", "Item": item}) == (200, b"{}")
    assert table["Alien"] == {"title": "Alien", "poster": b"\0\xff", "stars": Decimal("4.5")}
    table.update("Alien", "SET stars = :s", values={":s": 5})
    status, answer = db.dispatch("GetItem", json.dumps({"TableName": "movies", "Key": {"title": {"S": "Alien"}}}))
    assert status == 200 and json.loads(answer)["Item"] == {**item, "poster": {"B": "AP8="}, "stars": {"N": "5"}}
    status, answer = db.dispatch("DescribeTable", {"TableName": "movies"}, region="eu-west-1", account="123456789012")
    assert json.loads(answer)["Table"]["TableArn"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/movies"


@pytest.mark.parametrize("words, options, text", [
    (("PutItem", 5), {}, "body must be"),
    (("PutItem", None), {}, "body must be"),
    (("PutItem", {"x": object()}), {}, "no place in a request"),
    (("PutItem", {"x": float("nan")}), {}, "JSON"),
    (("PutItem", "\ud800"), {}, "surrogate"),
    (("PutItem", "{}"), {"wording": "other"}, "wording must be"),
    (("PutItem", "{}"), {"region": "r" * 32}, "region"),
    (("PutItem", "{}"), {"account": "1" * 16}, "account"),
])
def test_what_the_call_itself_refuses(db, words, options, text):
    with pytest.raises(stator.ValidationException, match=text):
        db.dispatch(*words, **options)


def test_a_closed_database_answers_nothing():
    db = stator.open(":memory:")
    db.close()
    for call in (lambda: db.dispatch("ListTables", {}), lambda: db.move_clock(1)):
        with pytest.raises(stator.StatorError) as caught:
            call()
        assert caught.value.code == "CLOSED"


def test_threads_dispatch_at_once(db):
    answers = []
    threads = [threading.Thread(target=lambda: answers.extend(db.dispatch("Nothing", {}) for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 800 and len(set(answers)) == 1


def test_the_clock_of_creation_moves(db):
    before = db.create_table("first", "id:S").created
    db.move_clock(86400)
    after = db.create_table("second", "id:S").created
    assert 86400 <= (after - before).total_seconds() < 86400 + 600
    assert db.move_clock(0.5) is None


@pytest.mark.parametrize("seconds", ["1", None, True, float("nan"), float("inf"), 2**62])
def test_seconds_are_a_number(db, seconds):
    with pytest.raises(stator.ValidationException, match="seconds must be"):
        db.move_clock(seconds)
