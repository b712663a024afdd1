"""Tables: made, opened, listed, deleted. python tables.py [FOLDER]"""

import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    films = db.create_table("films", partition="title:S", sort="year:N")
    print(films.name, films.keys)  # → films (('title', 'S'), ('year', 'N'))
    print(films.created.tzinfo)  # → UTC
    print(films.database is db, db.path == (sys.argv + [":memory:"])[1])  # → True True

    try:
        db.create_table("films", partition="title:S")
    except stator.ResourceInUseException:
        print("the name is taken")  # → the name is taken

    # table() opens; with keys it also makes a table that is missing, and refuses one with other keys.
    print(db.table("films"))  # → <stator.Table 'films' title:S year:N>
    db.table("actors", partition="name:S")
    print(db.tables())  # → ['actors', 'films']

    db.delete_table("actors")
    db.delete_table("films")
    try:
        films.get(("Alien", 1979))
    except stator.ResourceNotFoundException as error:
        print(isinstance(error, LookupError))  # → True
