"""Databases and pools of connections."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import DuplicateDatabase, UniqueViolation
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated


def misread(conninfo: str) -> str | None:
    """Return why a connection string can't be used; None where it can be read."""
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        return " ".join(str(error).split())
    return None


def open_pool(conninfo: str, *, size: int = 8, patience: float = 10.0) -> ConnectionPool:
    """Open a pool of up to `size` connections to one database; without one for `patience` seconds it is away."""
    return ConnectionPool(
        conninfo,
        min_size=1,
        max_size=size,
        open=True,
        timeout=patience,
        check=ConnectionPool.check_connection,
        kwargs={"options": "-c timezone=UTC"},
    )


def kept_pool(conninfo: str, patience: float) -> Iterator[ConnectionPool]:
    """Yield one pool and close it when the iteration is ended."""
    with open_pool(conninfo, patience=patience) as pool:
        yield pool


def ensure_database(conninfo: str, name: str) -> None:
    """Create a database that orders text by bytes, unless it exists; another process may do so meanwhile."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'")
    with translated(), psycopg.connect(conninfo, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            connection.execute(create.format(sql.Identifier(name)))
        except (DuplicateDatabase, UniqueViolation):
            return


def with_parameter(conninfo: str, name: str, value: str) -> str:
    """Return a connection string whose sessions have a parameter set, beside those that it sets already."""
    options = conninfo_to_dict(conninfo).get("options") or ""
    return make_conninfo(conninfo, options=f"{options} -c {name}={value}".strip())
