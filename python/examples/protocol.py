"""The JSON protocol of DynamoDB without a socket, and a clock that tests can move. python protocol.py [FOLDER]"""

import json
import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    # The operation and the JSON of its request in, the HTTP status and the JSON of the answer out. A refusal is an answer too.
    status, answer = db.dispatch("MakeTea", {"Sugar": 2})
    print(status, json.loads(answer)["__type"].rpartition("#")[2])  # → 400 UnknownOperationException

    # What ARNs say, and which of the service's wordings the errors have, can be chosen.
    status, _ = db.dispatch("DynamoDB_20120810.MakeTea", "{}", region="eu-central-1", account="123456789012", wording="new")
    print(status)  # → 400

    # A day ahead of the system's clock: what expires today has expired.
    db.move_clock(24 * 60 * 60)
    db.move_clock(0)
