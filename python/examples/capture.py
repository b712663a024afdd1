"""boto3 without a network: every DynamoDB client of the process asks a database. python capture.py [FOLDER]"""

import sys

import boto3

import stator

early = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")

# Clients made before are captured too; those made inside need neither a region nor credentials.
with stator.aws.capture() as db:
    db.create_table("movies", partition="title:S")
    movies = boto3.resource("dynamodb").Table("movies")
    movies.put_item(Item={"title": "Alien", "year": 1979})
    print(early.get_item(TableName="movies", Key={"title": {"S": "Alien"}})["Item"]["year"])  # → {'N': '1979'}
    print(db.table("movies").get("Alien")["year"])  # → 1979
    try:
        movies.put_item(Item={"title": "Alien"}, ConditionExpression="attribute_not_exists(title)")
    except early.exceptions.ClientError as error:
        print(error.response["Error"]["Code"])  # → ConditionalCheckFailedException


# As a decorator; each call begins with an empty database, unless it has a path or an open database.
@stator.aws.capture()
def tables():
    return early.list_tables()["TableNames"]


print(tables())  # → []

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    db.table("books", partition="id:S")
    with stator.aws.capture(db):
        print(early.list_tables()["TableNames"])  # → ['books']

# In conftest.py, a fixture of pytest:
#     dynamodb = stator.aws.fixture()
