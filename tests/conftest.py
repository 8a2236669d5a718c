"""Real servers for the tests: one embedded PostgreSQL a run, a fresh database for each test that asks."""

import os
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from adapters.postgres.migrate import migrate
from adapters.postgres.server import EmbeddedPostgres
from tests.soak import SOAK

# No example has a deadline: how fast something is, is measured in `benchmarks`, and a busy machine is no fault.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.register_profile("soak", derandomize=False, deadline=None)
settings.load_profile("soak" if SOAK else "seeded")

# What a shell starts in the background ignores Ctrl-C, and so would the commands that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Of the commands that the tests start, one compiles the platform's modules for those after it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# The tests themselves are kept compiled too, or each worker of each run rewrites and compiles them anew.
sys.dont_write_bytecode = False
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    home: Path = tmp_path_factory.mktemp("home")
    server = EmbeddedPostgres(home)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated TEMPLATE template0")
    migrate(server.conninfo("migrated"))
    yield server
    server.stop()


@pytest.fixture
def conninfo(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The connection string of a fresh, migrated database."""
    name = sql.Identifier(f"test_{next(_NUMBERS)}")
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE migrated").format(name))
    yield postgres.conninfo(name.as_string(None).strip('"'))
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
