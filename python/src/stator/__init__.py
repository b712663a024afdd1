"""DynamoDB's data model in your process.

    with stator.open("shop.stator") as db:
        movies = db.table("movies", partition="title:S", sort="year:N")
        movies.put({"title": "Alien", "year": 1979, "crew": {"Weaver", "Scott"}})
        for m in movies.query("Alien", sort=stator.ge(1970), limit=10):
            print(m["year"])

Items are dicts in boto3's shapes: str, Decimal, bytes, bool, None, set, list and dict. int is fine going in; float is refused
unless the database is opened with floats=True. A database, its tables and batches may be used from any number of threads.
"""

from . import aws, errors
from ._database import Batch, Database, open
from ._definition import Index
from ._query import Items, begins_with, between, eq, ge, gt, le, lt
from ._table import Table
from ._transact import Check, Delete, Get, Put, Transaction, Update
from .errors import *  # noqa: F403
from .errors import StatorError

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Check",
    "Database",
    "Delete",
    "Get",
    "Index",
    "Items",
    "Put",
    "StatorError",
    "Table",
    "Transaction",
    "Update",
    "aws",
    "begins_with",
    "between",
    "eq",
    "errors",
    "ge",
    "gt",
    "le",
    "lt",
    "open",
    *errors.__all__,
]
