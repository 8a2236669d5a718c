"""One moment of the database, seen over two connections, while everybody else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from psycopg import Connection, IsolationLevel, sql

from adapters.postgres.read_model.session import connect


@contextmanager
def shared_snapshot(conninfo: str) -> Iterator[tuple[Connection, Connection]]:
    """Give two connections within transactions that see the same moment: that of the call."""
    with closing(connect(conninfo)) as first, closing(connect(conninfo)) as second:
        for conn in (first, second):
            conn.isolation_level = IsolationLevel.REPEATABLE_READ
        with first.transaction(), second.transaction():
            (snapshot,) = next(first.execute("SELECT pg_export_snapshot()"))
            second.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            yield first, second
