"""Writes items for ever and says after each that it was acknowledged, until somebody kills it."""

import sys

import stator

db = stator.open(sys.argv[1])
table = db.table("written", partition="id:N")
number = 0
while True:
    table.put({"id": number, "text": "x" * (number % 400)})
    print(number, flush=True)
    number += 1
