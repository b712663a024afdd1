"""The JSON protocol of DynamoDB without a socket, and a clock that tests can move. python protocol.py [FOLDER]"""

import json
import sys
import time

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    # The operation and the JSON of its request in, the HTTP status and the JSON of the answer out. A refusal is an answer too.
    notes = db.table("notes", partition="id:S", ttl="expires")
    status, _ = db.dispatch("PutItem", {"TableName": "notes", "Item": {"id": {"S": "a"}, "count": {"N": "3"}}})
    print(status, notes.get("a"))  # → 200 {'count': Decimal('3'), 'id': 'a'}
    status, answer = db.dispatch("MakeTea", {"Sugar": 2})
    print(status, json.loads(answer)["__type"].rpartition("#")[2])  # → 400 UnknownOperationException

    # What ARNs say, and which of the service's wordings the errors have, can be chosen.
    body = '{"TableName": "notes"}'
    _, answer = db.dispatch("DynamoDB_20120810.DescribeTable", body, region="eu-west-1", account="123456789012", wording="new")
    print(json.loads(answer)["Table"]["TableArn"])  # → arn:aws:dynamodb:eu-west-1:123456789012:table/notes

    # A day ahead of the system's clock: what expires in an hour is gone.
    notes.put({"id": "b", "expires": int(time.time()) + 3600})
    db.move_clock(24 * 60 * 60)
    print(notes.get("b"))  # → None
    db.move_clock(0)
