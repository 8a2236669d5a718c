"""Swap: put a build aside in place of the live one, in the transaction that the caller holds."""

from __future__ import annotations

import time

from psycopg import Connection, errors, sql

from adapters.postgres.read_model.grants import copy_grants
from adapters.postgres.read_model.schemas import LIVE, Schemas, table_names
from application.ports.read_model import ReadersInTheWayError

PATIENCE = 60.0
PAUSE = 0.05


def swap(conn: Connection, aside: Schemas) -> None:
    """Drop the live schemas and give their names to those aside.

    Every live table is locked first: a statement or transaction that has read one of them keeps all of
    them until its end, so that nobody sees some tables old and some new.

    Raises:
        ReadersInTheWayError: for `PATIENCE` seconds there was no moment without a reader.
    """
    _lock_tables(conn)
    copy_grants(conn, LIVE, aside)
    LIVE.drop(conn)
    aside.rename(conn, LIVE)


def _lock_tables(conn: Connection) -> None:
    names = [sql.Identifier(schema, name) for schema in LIVE for name in table_names(conn, schema)]
    if not names:
        return
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(names))
    # Short waits: new readers queue behind a waiting lock, and a deadlock is checked for after 1 s only.
    conn.execute("SET LOCAL lock_timeout = '200ms'")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with conn.transaction():
                conn.execute(lock)
        except errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise ReadersInTheWayError(ReadersInTheWayError.__doc__) from None
            time.sleep(PAUSE)
        else:
            break
    conn.execute("SET LOCAL lock_timeout = 0")
