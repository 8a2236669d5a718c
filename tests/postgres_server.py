"""A real PostgreSQL server for the tests, with a database of its own for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.services import service_url


@contextmanager
def fresh_database(name: str = "test", template: str = "template0") -> Iterator[str]:
    """Give the URL of a database that is like its template; it is dropped at the end."""
    found = service_url("postgres", "PostgreSQL")
    name = f"{name}_{uuid4().hex[:12]}"
    create = "CREATE DATABASE {} TEMPLATE {} LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
    with psycopg.connect(found, autocommit=True) as owner:
        owner.execute(sql.SQL(create).format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield f"{found.rpartition('/')[0]}/{name}"
        finally:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
