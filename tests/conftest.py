"""Real servers for the tests: one embedded PostgreSQL a run, a fresh database for each test that asks."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from adapters.postgres.migrate import migrate
from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.server import EmbeddedPostgres
from application.projections.registry import SUBJECTS
from tests.integration.star import GOLD
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


def pytest_sessionfinish() -> None:
    """Give what commands kept from the garbage collector back to it, or DuckDB counts its types as leaked."""
    gc.unfreeze()


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
    with _copied(postgres, "migrated") as copy:
        yield copy


@pytest.fixture(scope="session")
def _prepared(postgres: EmbeddedPostgres) -> str:
    """The name of a database in which nothing has happened yet: migrated, its read models there and empty."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE prepared TEMPLATE migrated")
    with closing(PostgresReadModel(postgres.conninfo("prepared"), SUBJECTS, GOLD)) as read_model:
        read_model.create()
    return "prepared"


@pytest.fixture
def prepared(postgres: EmbeddedPostgres, _prepared: str) -> Iterator[str]:
    """The connection string of a fresh database with empty read models; to make them takes ten times as long."""
    with _copied(postgres, _prepared) as copy:
        yield copy


@contextmanager
def _copied(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    copy, of = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, of))
    yield server.conninfo(name)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))
