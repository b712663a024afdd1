"""Numbers are exact decimals; floats only where they are asked for. python decimals.py [FOLDER]"""

import sys
from decimal import Decimal

import stator

path = sys.argv[1] if len(sys.argv) > 1 else ":memory:"
with stator.open(path) as db:
    accounts = db.table("accounts", partition="id:S")
    accounts.put({"id": "a", "sum": Decimal("0.1"), "big": 2**100})
    a = accounts.get("a")
    print(a["sum"] + 1, a["big"] == 2**100)  # → 1.1 True
    try:
        accounts.put({"id": "b", "sum": 0.1})
    except stator.ValidationException as error:
        print(error.message.split(",")[0])  # → float 0.1 is refused

with stator.open(path, floats=True) as db:
    accounts = db.table("accounts", partition="id:S")
    accounts.put({"id": "c", "sum": 0.5, "count": 3})
    print(accounts.get("c"))  # → {'count': 3, 'id': 'c', 'sum': 0.5}
