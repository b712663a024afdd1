"""The first lines. python first_lines.py [FOLDER]"""

import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else "shop.stator") as db:
    movies = db.table("movies", partition="title:S", sort="year:N")
    movies.put({"title": "Alien", "year": 1979, "crew": {"Weaver", "Scott"}})
    for m in movies.query("Alien", sort=stator.ge(1970), limit=10):
        print(m["year"])  # → 1979
