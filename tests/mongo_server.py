"""A real server that speaks MongoDB's protocol for the tests, with a database of its own for each of them."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database

SERVICES = Path(__file__).parents[1] / "build" / "services" / "services.json"


class Mongo(NamedTuple):
    """The URL of a database, and its owner's way in."""

    url: str
    owner: Database[dict[str, Any]]


def mongo_url() -> str:
    """The server that `make services` started; where there is none, the test is skipped, unless it must be there."""
    services = json.loads(SERVICES.read_text()) if SERVICES.exists() else {}
    found: str | None = os.environ.get("DATAFLOW_TEST_MONGO") or services.get("mongo", {}).get("url")
    if found is None:
        missing = "no MongoDB: `make services` starts one, DATAFLOW_TEST_MONGO names one"
        if os.environ.get("DATAFLOW_REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def fresh_mongo() -> Iterator[Mongo]:
    """An empty database; it is dropped at the end."""
    address, _, options = mongo_url().partition("?")
    name = f"test_{uuid4().hex[:12]}"
    url = f"{address.rstrip('/')}/{name}" + (f"?{options}" if options else "")
    with closing(MongoClient[dict[str, Any]](url)) as client:
        yield Mongo(url, client[name])
        client.drop_database(name)
