"""A real PostgreSQL server for the tests, with a database of its own for each of them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

SERVICES = Path(__file__).parents[1] / "build" / "services" / "services.json"


def server_url() -> str:
    """The server that `make services` started; where there is none, the test is skipped, unless it must be there."""
    services = json.loads(SERVICES.read_text()) if SERVICES.exists() else {}
    found: str | None = os.environ.get("DATAFLOW_TEST_POSTGRES") or services.get("postgres", {}).get("url")
    if found is None:
        missing = "no PostgreSQL: `make services` starts one, DATAFLOW_TEST_POSTGRES names one"
        if os.environ.get("DATAFLOW_REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def fresh_database(name: str = "test", template: str = "template0") -> Iterator[str]:
    """Give the URL of a database that is like its template; it is dropped at the end."""
    found = server_url()
    name = f"{name}_{uuid4().hex[:12]}"
    create = "CREATE DATABASE {} TEMPLATE {} LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
    with psycopg.connect(found, autocommit=True) as owner:
        owner.execute(sql.SQL(create).format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield f"{found.rpartition('/')[0]}/{name}"
        finally:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
