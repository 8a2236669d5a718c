"""Databases that tell a story: the log recorded, an event a minute, and the live read models at its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import ConnectionPool

from adapters.postgres.database import open_pool
from adapters.postgres.server import EmbeddedPostgres
from tests.integration.story import tell_everything
from tests.integration.told import MINUTE, NOON, follow, stored, tell

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def followed(postgres: EmbeddedPostgres, _prepared: str) -> sql.Identifier:
    """The name of a database whose read models follow the whole story; tests work on copies of it."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE followed TEMPLATE {_prepared}".encode())
    log = tell_everything()
    conninfo = postgres.conninfo("followed")
    tell(conninfo, (stored(each, NOON + number * MINUTE) for number, each in enumerate(log, 1)))
    assert follow(conninfo) == len(log)
    return sql.Identifier("followed")


@pytest.fixture
def told(postgres: EmbeddedPostgres, followed: sql.Identifier) -> Iterator[str]:
    """The connection string of a database whose read models follow the whole story."""
    name = f"told_{next(_NUMBERS)}"
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), followed))
        yield postgres.conninfo(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def told_pool(told: str) -> Iterator[ConnectionPool]:
    with open_pool(told, size=2) as pool:
        yield pool
