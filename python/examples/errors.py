"""Errors are named as botocore's, and say what may be done. python errors.py [FOLDER]"""

import sys

import stator

db = stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:")
movies = db.table("movies", partition="title:S", sort="year:N")
try:
    movies.put({"title": "Alien"})
except stator.ValidationException as error:
    print(error.message)  # → One or more parameter values were invalid: Missing the key year in the item
    print(error.code, error.retryable, error.maybe_applied, error.position)  # → INVALID_ARGUMENT False False None
    print(isinstance(error, stator.StatorError), isinstance(error, ValueError))  # → True True

db.close()
db.close()  # twice is fine
try:
    movies.get(("Alien", 1979))
except stator.StatorError as error:
    print(error.code)  # → CLOSED
