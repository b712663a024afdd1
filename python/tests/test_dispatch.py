"""The JSON protocol and the clock."""

import json
import threading

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
