"""boto3 without a network: every DynamoDB client of the process asks a database. python capture.py"""

import boto3

import stator

early = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")


def outcome(client):
    try:
        client.describe_table(TableName="nothing")
    except client.exceptions.ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


# Clients made before are captured too; those made inside need neither a region nor credentials.
with stator.aws.capture() as db:
    print(outcome(early), outcome(boto3.client("dynamodb")))  # → 400 400
    print(db.tables())  # → []


# As a decorator; with a path, or an open database, what is written stays.
@stator.aws.capture("shop.stator")
def work():
    return outcome(early)


print(work())  # → 400

# In conftest.py, a fixture of pytest:
#     dynamodb = stator.aws.fixture()
