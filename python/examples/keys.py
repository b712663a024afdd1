"""Keys as dicts, as values in the order of the schema, or as the one value. python keys.py [FOLDER]"""

import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    movies = db.table("movies", partition="title:S", sort="year:N")
    movies.put({"title": "Alien", "year": 1979, "stars": 5})
    print(movies.get({"title": "Alien", "year": 1979})["stars"])  # → 5
    print(movies.get(("Alien", 1979))["stars"])  # → 5
    print(movies["Alien", 1979]["stars"])  # → 5
    print(movies.key(("Alien", 1979)))  # → {'title': 'Alien', 'year': 1979}

    users = db.table("users", partition="id:N")
    users.put({"id": 7, "name": "Ripley"})
    print(users.get(7)["name"])  # → Ripley
