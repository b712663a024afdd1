"""The quickstart's query in Python."""

import sys

import stator

with stator.open(sys.argv[1], read_only=True, create=False) as db:
    for language in db.table("languages").query("I", sort=stator.begins_with("Old")):
        print(language["alpha_3"], language["name"])
