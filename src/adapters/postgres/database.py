"""Databases and pools of connections."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import DuplicateDatabase, UniqueViolation
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated

_NAMES_PARAMETER = re.compile(r'invalid URI query parameter: "[a-z_]+"')
"""The one thing that the driver quotes of a connection string and that is no piece of a password."""
_ESCAPED = "in a name or a password, '@' is written as %40, '%' as %25, '/' as %2F, '?' as %3F, a space as %20"

ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""What has a machine that is gone without a word noticed within a minute, not within the two hours of most systems."""
CLIENT_ALIVE = "; ".join(f"SET tcp_{name.removeprefix('tcp_')} = {value}" for name, value in ALIVE.items())
"""The same for the server, which holds locks for as long as it takes its client to be there."""


def misread(conninfo: str) -> str | None:
    """Return why a connection string can't be used, None where it can be read; nothing of a password is in it."""
    try:
        options = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        said = " ".join(str(error).split())
        return said if _NAMES_PARAMETER.fullmatch(said) else f"{said.partition(chr(34))[0].rstrip(' :')}; {_ESCAPED}"
    if any("@" in host[1:] for host in str(options.get("host", "")).split(",") if not host.startswith("/")):
        return f"its host holds an '@'; {_ESCAPED}"
    if any(not port.isdecimal() for port in str(options.get("port", "")).split(",") if port):
        return f"its port is no number; {_ESCAPED}"
    return None


def kept_alive(conninfo: str) -> str:
    """Return a connection string whose connections end a minute after their server is gone, unless it says more."""
    return make_conninfo(conninfo, **{**ALIVE, **conninfo_to_dict(conninfo)})


def open_pool(conninfo: str, *, size: int = 8, patience: float = 10.0) -> ConnectionPool:
    """Open a pool of up to `size` connections to one database; without one for `patience` seconds it is away."""
    return ConnectionPool(
        with_parameter(conninfo, "timezone", "UTC"),
        min_size=1,
        max_size=size,
        open=True,
        timeout=patience,
        check=ConnectionPool.check_connection,
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
