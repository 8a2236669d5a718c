"""A database beside the platform's that plays a customer's."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from adapters.postgres.server import EmbeddedPostgres

_NUMBERS = count(1)


@contextmanager
def foreign_database(server: EmbeddedPostgres) -> Iterator[tuple[str, psycopg.Connection]]:
    """Give the URL of an empty database, and its owner's connection."""
    name = f"foreign_{next(_NUMBERS)}"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(server.conninfo(name), autocommit=True) as owner:
        yield postgres_url(server.conninfo(name)), owner
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def postgres_url(conninfo: str) -> str:
    """Return the URL of a connection string of the embedded server."""
    parts = conninfo_to_dict(conninfo)
    query = {"host": str(parts["host"])}
    url = URL.create("postgresql", username=str(parts["user"]), database=str(parts["dbname"]), query=query)
    return url.render_as_string(hide_password=False)
