"""Conditions, updates, projections and filters, in DynamoDB's expressions. python expressions.py [FOLDER]"""

import sys
from decimal import Decimal

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    movies = db.table("movies", partition="title:S", sort="year:N")
    alien = {"title": "Alien", "year": 1979}
    movies.put({**alien, "stars": 4, "crew": ["Weaver", "Scott"]})

    # A condition is judged on the item that is there, and the write happens at once with it or not at all.
    try:
        movies.put(alien, condition="attribute_not_exists(title)")
    except stator.ConditionalCheckFailedException as error:
        print(error.item["stars"])  # → 4

    # An update changes some attributes and leaves the others. #name and :value stand for names and values.
    movies.update(alien, "SET rating = :r ADD seen :one", values={":r": Decimal("8.5"), ":one": 1})
    new = movies.update(
        alien, "SET #s = #s + :one", condition="#s < :five", names={"#s": "stars"}, values={":one": 1, ":five": 5}, returns="UPDATED_NEW"
    )
    print(new)  # → {'stars': Decimal('5')}

    # A projection gives parts of items.
    print(movies.get(alien, projection="crew[0], rating"))  # → {'crew': ['Weaver'], 'rating': Decimal('8.5')}
    print(movies.batch_get([alien], projection="#y", names={"#y": "year"}))  # → [{'year': Decimal('1979')}]

    # A filter drops items that were read; a key condition says which are read, as partition and sort do.
    movies.put({"title": "Alien", "year": 2003, "stars": 3})
    good = movies.query("Alien", filter="stars > :four", values={":four": 4})
    print([int(movie["year"]) for movie in good])  # → [1979]
    print(list(movies.scan(filter="stars < :four", values={":four": 4}, projection="stars")))  # → [{'stars': Decimal('3')}]
    late = movies.query(key_condition="title = :t AND #y > :y", names={"#y": "year"}, values={":t": "Alien", ":y": 2000})
    print([int(movie["year"]) for movie in late])  # → [2003]

    old = movies.delete(alien, condition="stars = :five", values={":five": 5}, returns="ALL_OLD")
    print(old["stars"])  # → 5
