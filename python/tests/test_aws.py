"""Capture: every DynamoDB request of botocore is answered by a database, and none leaves the process."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from decimal import Decimal

import boto3
import botocore.endpoint
import botocore.session
import botocore.signers
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

import stator

NAMES = [(botocore.endpoint.Endpoint, "_send"), (botocore.signers.RequestSigner, "_choose_signer"),
         (botocore.session.Session, "create_client")]
early = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")
early_streams = boto3.client("dynamodbstreams", region_name="eu-west-1", endpoint_url="http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    """No region, no credentials, no network."""

    def refuse(*words, **_):
        raise OSError(f"something wanted the network: {words}")

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = [getattr(*place) for place in NAMES]
    yield
    assert [getattr(*place) for place in NAMES] == before


class Recorder:
    """The bodies that a database was asked, and nothing else of it."""

    def __init__(self, monkeypatch):
        self.asked = []
        dispatch = stator.Database.dispatch

        def record(database, operation, body, **options):
            self.asked.append((database, operation, json.loads(body), options))
            return dispatch(database, operation, body, **options)

        monkeypatch.setattr(stator.Database, "dispatch", record)


@pytest.fixture
def no_metadata(monkeypatch):
    """For clients made outside of a capture: they may not look for the role of a machine."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def recorder(monkeypatch):
    return Recorder(monkeypatch)


def ask(client):
    """One request; what the service answers does not matter, as long as it is an answer."""
    try:
        return client.list_tables(Limit=3)["ResponseMetadata"]
    except ClientError as error:
        return error.response["ResponseMetadata"]


def test_an_empty_environment_is_enough(recorder):
    with stator.aws.capture() as db:
        assert isinstance(db, stator.Database)
        meta = ask(boto3.client("dynamodb"))
    assert recorder.asked == [(db, "DynamoDB_20120810.ListTables", {"Limit": 3}, {"region": "us-east-1"})]
    assert meta["RetryAttempts"] == 0
    assert repr(db).endswith(" closed>")


def test_the_answer_has_the_headers_of_the_service():
    with stator.aws.capture():
        client = boto3.client("dynamodb")
        seen = []
        client.meta.events.register("before-parse.dynamodb.*", lambda response_dict, **_: seen.append(response_dict))
        first, second = ask(client), ask(client)
    headers = {name.lower(): value for name, value in first["HTTPHeaders"].items()}
    assert headers["x-amz-crc32"] == str(zlib.crc32(seen[0]["body"]))
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["content-length"] == str(len(seen[0]["body"]))
    assert len(headers["x-amzn-requestid"]) == 52
    assert first["RequestId"] == headers["x-amzn-requestid"] != second["RequestId"]


def test_clients_made_before_are_captured_too(recorder):
    with stator.aws.capture() as db:
        ask(early)
        with pytest.raises(ClientError):
            early_streams.describe_stream(StreamArn="arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-01-01T00:00:00.000")
    assert [(asked[0], asked[1], asked[3]["region"]) for asked in recorder.asked] == [
        (db, "DynamoDB_20120810.ListTables", "eu-west-1"), (db, "DynamoDBStreams_20120810.DescribeStream", "")]


def test_a_client_without_credentials_is_captured_and_afterwards_has_none(no_metadata):
    client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url="http://127.0.0.1:1")
    with stator.aws.capture():
        assert ask(client)["HTTPStatusCode"] in (200, 400)
    with pytest.raises(NoCredentialsError):
        ask(client)


def test_nothing_is_left_behind(no_metadata):
    with stator.aws.capture():
        pass
    with pytest.raises(NoRegionError):
        boto3.client("dynamodb")


def test_region_and_credentials_that_are_there_stay(monkeypatch, tmp_path, recorder):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with stator.aws.capture():
        client = boto3.Session().client("dynamodb")
        assert client.meta.region_name == "ap-south-1"
        assert client._get_credentials().access_key == "mine"
        assert boto3.client("dynamodb", region_name="eu-north-1").meta.region_name == "eu-north-1"
        ask(client)
    assert recorder.asked[0][3] == {"region": "ap-south-1"}


def test_other_services_are_not_touched(no_metadata):
    with stator.aws.capture():
        with pytest.raises(NoRegionError):
            boto3.client("sqs")
        sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url="http://127.0.0.1:1")
        with pytest.raises(NoCredentialsError):
            sqs.list_queues()
        signed = boto3.client("sqs", region_name="us-east-1", endpoint_url="http://127.0.0.1:1", aws_access_key_id="k",
                              aws_secret_access_key="s", config=boto3.session.Config(retries={"total_max_attempts": 1}))
        with pytest.raises(EndpointConnectionError, match="127.0.0.1"):
            signed.list_queues()


def test_without_a_capture_requests_go_out():
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url="http://127.0.0.1:1", aws_access_key_id="k",
                          aws_secret_access_key="s", config=boto3.session.Config(retries={"total_max_attempts": 1}))
    with stator.aws.capture():
        ask(client)
    with pytest.raises(EndpointConnectionError, match="127.0.0.1"):
        ask(client)


def test_captures_nest_and_end_in_any_order(recorder):
    outer, inner = stator.aws.capture(), stator.aws.capture()
    first = outer.__enter__()
    ask(early)
    second = inner.__enter__()
    ask(early)
    outer.__exit__(None, None, None)
    ask(early)
    inner.__exit__(None, None, None)
    assert [asked[0] for asked in recorder.asked] == [first, second, second]
    with stator.aws.capture() as outer, stator.aws.capture() as inner:
        pass
    assert outer is not inner
    again = stator.aws.capture()
    with again as one, again as two:
        ask(early)
    assert recorder.asked[-1][0] is two is not one


def test_threads_are_captured(recorder):
    with stator.aws.capture() as db:
        clients = [boto3.client("dynamodb"), early]
        threads = [threading.Thread(target=lambda c=client: [ask(c) for _ in range(20)]) for client in clients * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(recorder.asked) == 120 and {asked[0] for asked in recorder.asked} == {db}


def test_one_capture_may_be_entered_by_several_threads():
    capture, inside, left = stator.aws.capture(), threading.Event(), threading.Event()
    seen = []

    def work():
        with capture as db:
            inside.set()
            left.wait(30)
            seen.append(db.tables())

    thread = threading.Thread(target=work)
    with capture as first:
        thread.start()
        inside.wait(30)
    with pytest.raises(stator.StatorError, match="closed"):
        first.tables()
    left.set()
    thread.join()
    assert seen == [[]]


def test_asyncio_is_captured(recorder):
    @stator.aws.capture()
    async def work():
        client = boto3.client("dynamodb")
        await asyncio.gather(*(asyncio.to_thread(ask, client) for _ in range(10)))

    assert asyncio.iscoroutinefunction(work)
    asyncio.run(work())
    assert len(recorder.asked) == 10


def test_decorators(recorder):
    @stator.aws.capture
    def bare(word, *, other):
        """Says something."""
        ask(early)
        return word + other

    @stator.aws.capture()
    def called():
        ask(early)
        return recorder.asked[-1][0]

    assert bare("a", other="b") == "ab" and bare.__doc__ == "Says something." and bare.__name__ == "bare"
    assert called() is not called()
    with pytest.raises(stator.ValidationException, match="decorates functions"):
        stator.aws.capture()(5)


def test_a_database_stays_open_and_a_path_is_kept(tmp_path):
    with stator.open(":memory:") as db:
        with stator.aws.capture(db) as same:
            assert same is db
        assert db.tables() == []
    for names in ([], ["movies"]):
        with stator.aws.capture(tmp_path / "db") as db:
            assert db.tables() == names
            db.table("movies", partition="title:S")


def test_a_failed_beginning_and_an_exception_inside_leave_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(stator.StatorError), stator.aws.capture(tmp_path / "file"):
        pass
    with pytest.raises(ZeroDivisionError), stator.aws.capture() as db:
        1 / 0
    assert repr(db).endswith(" closed>")


def test_the_package_does_not_need_botocore():
    program = "import sys, stator; assert stator.aws.capture; assert not [m for m in sys.modules if m.startswith('boto')]"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_fixture_of_pytest(tmp_path):
    (tmp_path / "conftest.py").write_text("import stator\n\ndynamodb = stator.aws.fixture()\nkept = stator.aws.fixture('db', scope='module')\n")
    (tmp_path / "test_it.py").write_text(textwrap.dedent("""
        import boto3
        import stator

        def test_one(dynamodb):
            assert isinstance(dynamodb, stator.Database) and dynamodb.tables() == []
            dynamodb.table("movies", partition="title:S")
            assert boto3.client("dynamodb").meta.region_name == "us-east-1"

        def test_two(dynamodb):
            assert dynamodb.tables() == []

        def test_three(kept):
            kept.table("movies", partition="title:S")

        def test_four(kept):
            assert boto3.client("dynamodb").list_tables()["TableNames"] == ["movies"]
    """))
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)], capture_output=True,
                          text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout


MOVIES = {
    "TableName": "movies",
    "KeySchema": [{"AttributeName": "title", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": "title", "AttributeType": "S"}, {"AttributeName": "year", "AttributeType": "N"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def test_the_resource_layer():
    with stator.aws.capture() as db:
        table = boto3.resource("dynamodb").create_table(**MOVIES)
        table.wait_until_exists()
        assert table.table_arn == "arn:aws:dynamodb:us-east-1:000000000000:table/movies"
        item = {"title": "Alien", "year": 1979, "crew": {"Weaver"}, "poster": b"\0\xff", "stars": Decimal("4.5"), "tags": [None, True]}
        table.put_item(Item=item)
        assert db.table("movies").get(("Alien", 1979)) == item
        got = table.get_item(Key={"title": "Alien", "year": 1979})["Item"]
        assert {**got, "poster": got["poster"].value} == item
        new = table.update_item(Key={"title": "Alien", "year": 1979}, UpdateExpression="ADD stars :s", ReturnValues="UPDATED_NEW",
                                ExpressionAttributeValues={":s": Decimal("0.5")})
        assert new["Attributes"] == {"stars": 5}
        with table.batch_writer() as batch:
            for year in range(2000, 2060):
                batch.put_item(Item={"title": "Alien", "year": year, "even": year % 2 == 0})
        found = table.query(KeyConditionExpression=Key("title").eq("Alien") & Key("year").gte(2050), FilterExpression=Attr("even").eq(True))
        assert [item["year"] for item in found["Items"]] == [2050, 2052, 2054, 2056, 2058]
        table.delete()
        table.wait_until_not_exists()
        assert db.tables() == []


def test_paginators_and_waiters():
    with stator.aws.capture() as db:
        client = boto3.client("dynamodb")
        begun = time.monotonic()
        client.create_table(**MOVIES)
        client.get_waiter("table_exists").wait(TableName="movies")
        movies = db.table("movies")
        for year in range(23):
            movies.put({"title": "Alien", "year": year})
        pages = list(client.get_paginator("scan").paginate(TableName="movies", PaginationConfig={"PageSize": 5}))
        assert [len(page["Items"]) for page in pages] == [5, 5, 5, 5, 3]
        query = {"KeyConditionExpression": "title = :t", "ExpressionAttributeValues": {":t": {"S": "Alien"}}}
        pages = client.get_paginator("query").paginate(TableName="movies", **query, PaginationConfig={"PageSize": 10, "MaxItems": 15})
        assert sum(len(page["Items"]) for page in pages) == 15
        for number in range(7):
            db.create_table(f"more{number}", "id:S")
        names = [name for page in client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 3}) for name in page["TableNames"]]
        assert names == db.tables() and len(names) == 8
        client.delete_table(TableName="movies")
        client.get_waiter("table_not_exists").wait(TableName="movies")
        assert time.monotonic() - begun < 15


def test_errors_are_those_of_the_service():
    with stator.aws.capture() as db:
        client = boto3.client("dynamodb")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_item(TableName="movies", Key={"title": {"S": "x"}})
        client.create_table(**MOVIES)
        alien = {"title": {"S": "Alien"}, "year": {"N": "1979"}}
        put = {"TableName": "movies", "Item": alien, "ConditionExpression": "attribute_not_exists(title)"}
        client.put_item(**put)
        with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
            client.put_item(**put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        assert caught.value.response["Item"] == alien
        with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
            client.transact_write_items(TransactItems=[{"Put": put}])
        assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == ["ConditionalCheckFailed"]
        assert len(list(db.table("movies").scan())) == 1


def test_streams_are_captured():
    with stator.aws.capture() as db:
        db.create_table("movies", "title:S", stream="NEW_IMAGE").put({"title": "Alien"})
        client, streams = boto3.client("dynamodb"), boto3.client("dynamodbstreams")
        arn = client.describe_table(TableName="movies")["Table"]["LatestStreamArn"]
        shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        seen = []
        for shard in shards:
            place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = streams.get_shard_iterator(**place)["ShardIterator"]
            seen += streams.get_records(ShardIterator=iterator)["Records"]
        assert [(record["eventName"], record["dynamodb"]["NewImage"]) for record in seen] == [("INSERT", {"title": {"S": "Alien"}})]


def test_arns_name_the_region_of_the_client():
    with stator.aws.capture():
        early.create_table(**MOVIES)
        arns = [early.describe_table(TableName="movies")["Table"]["TableArn"]]
        for options in ({"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}):
            client = boto3.client("dynamodb", region_name="us-west-2", config=boto3.session.Config(**options))
            arns.append(client.describe_table(TableName="movies")["Table"]["TableArn"])
    assert [arn.split(":")[3] for arn in arns] == ["eu-west-1", "us-west-2", "us-west-2"]


def test_tables_are_the_same_through_both():
    with stator.aws.capture() as db:
        client = boto3.client("dynamodb")
        places = {"partition": ["x:S", "y:N"], "sort": ["z:S"], "projection": ["u"]}
        db.create_table("ours", "id:S", "at:N", local={"by_l": "l:N"}, globals={"by_place": places}, ttl="exp", stream="NEW_IMAGE")
        told = client.describe_table(TableName="ours")["Table"]
        (place,) = told["GlobalSecondaryIndexes"]
        assert [(part["AttributeName"], part["KeyType"]) for part in place["KeySchema"]] == [("x", "HASH"), ("y", "HASH"), ("z", "RANGE")]
        assert place["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["u"]}
        assert [index["IndexName"] for index in told["LocalSecondaryIndexes"]] == ["by_l"]
        assert told["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        assert client.describe_time_to_live(TableName="ours")["TimeToLiveDescription"]["AttributeName"] == "exp"
        index = {"IndexName": "by_year", "KeySchema": [{"AttributeName": "year", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}
        client.create_table(**MOVIES, GlobalSecondaryIndexes=[index])
        theirs = db.table("movies")
        assert theirs.keys == (("title", "S"), ("year", "N")) and (theirs.ttl, theirs.stream) == (None, None)
        assert theirs.indexes == {"by_year": stator.Index("global", (("year", "N"),), (), "KEYS_ONLY")}
        theirs.put({"title": "Alien", "year": 1979, "stars": 5})
        found = client.query(TableName="movies", IndexName="by_year", KeyConditionExpression="#y = :y",
                             ExpressionAttributeNames={"#y": "year"}, ExpressionAttributeValues={":y": {"N": "1979"}})
        assert found["Items"] == [{"title": {"S": "Alien"}, "year": {"N": "1979"}}]
