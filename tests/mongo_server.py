"""A real server that speaks MongoDB's protocol for the tests, with a database of its own for each of them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

from pymongo import MongoClient
from pymongo.database import Database

from tests.services import service_url


class Mongo(NamedTuple):
    """The URL of a database, and its owner's way in."""

    url: str
    owner: Database[dict[str, Any]]


def mongo_url() -> str:
    """The server that `make services` started."""
    return service_url("mongo", "MongoDB")


@contextmanager
def fresh_mongo() -> Iterator[Mongo]:
    """An empty database; it is dropped at the end."""
    address, _, options = mongo_url().partition("?")
    name = f"test_{uuid4().hex[:12]}"
    url = f"{address.rstrip('/')}/{name}" + (f"?{options}" if options else "")
    with closing(MongoClient[dict[str, Any]](url)) as client:
        yield Mongo(url, client[name])
        client.drop_database(name)
