"""Swap: put a build aside in place of the live one, in the transaction that the caller holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import LiteralString

from psycopg import Connection, errors, sql

from adapters.postgres.read_model.grants import copy_grants
from adapters.postgres.read_model.schemas import LIVE, OLD, PARTING, Schemas, table_names, views_of_others
from application.ports.read_model import DependentViewsError, ReadersInTheWayError

_PARTING = Schemas.named(PARTING)
PATIENCE = 60.0
PAUSE = 0.05
ATTEMPT_MILLISECONDS = 75
"""How long an attempt to lock the tables may keep new readers waiting, behind those that still read.

What is left of 100 ms is for the renaming and the commit.
"""


def swap(conn: Connection, aside: Schemas) -> float:
    """Keep the live schemas as those of the build `OLD`, and give their names to those aside.

    Returns from when on new readers had to wait, by the monotonic clock. `aside` may be the old ones themselves.

    Every live table is locked first: a statement or transaction that has read one of them keeps all of
    them until its end, so that nobody sees some tables old and some new. The caller commits at once.

    Raises:
        ReadersInTheWayError: for `PATIENCE` seconds there was no moment without a reader or a vacuum.
        DependentViewsError: somebody's view reads a live table, and would go on reading the old one.
    """
    _refuse_dependents(conn)
    copy_grants(conn, LIVE, aside)
    # What is checked at the commit is checked now, while readers still read.
    conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    locked_at = _lock_tables(conn)
    # All at once: readers wait, and on a busy machine each answer to this process takes its time.
    renaming = [LIVE.renaming(_PARTING), aside.renaming(LIVE), _PARTING.renaming(Schemas.named(OLD))]
    conn.execute(sql.SQL("; ").join(renaming))
    return locked_at


def _refuse_dependents(conn: Connection) -> None:
    if views := views_of_others(conn, LIVE):
        raise DependentViewsError(
            f"these views would go on reading the old tables: {', '.join(views)}; drop them, rebuild, create them again"
        )


def end_vacuums(conn: Connection) -> None:
    """Let the server end its own vacuums of live tables, one table after the other, while followers and readers go on.

    It ends one that somebody waits for, but only after a second; a swap must not keep the followers waiting so long.

    Raises:
        ReadersInTheWayError: somebody else vacuums or analyses a table for longer than `PATIENCE`.
    """
    for table in _live_tables(conn):
        with conn.transaction():
            _keep_vacuums_out(conn, [table])


def _live_tables(conn: Connection) -> list[sql.Identifier]:
    return [sql.Identifier(schema, name) for schema in LIVE for name in table_names(conn, schema)]


def _keep_vacuums_out(conn: Connection, tables: Sequence[sql.Identifier]) -> None:
    """Lock tables against vacuums, not against reading and writing."""
    conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(f"{PATIENCE}s"))
    try:
        conn.execute(_lock(tables, "SHARE UPDATE EXCLUSIVE"))
    except errors.LockNotAvailable:
        raise ReadersInTheWayError(ReadersInTheWayError.__doc__) from None


def _lock_tables(conn: Connection) -> float:
    """Keep everybody out; return when the attempt that succeeded began, for new readers wait from then on."""
    tables = _live_tables(conn)
    if not tables:
        return time.monotonic()
    _keep_vacuums_out(conn, tables)
    conn.execute("SET LOCAL lock_timeout = 0")
    # Short waits: new readers queue behind a waiting lock, and a deadlock is checked for after 1 s only.
    # The limit holds for this alone: where it ended a statement about savepoints, no other attempt would be possible.
    attempt = sql.SQL("SET LOCAL statement_timeout = {}; {}; SET LOCAL statement_timeout = 0").format(
        ATTEMPT_MILLISECONDS, _lock(tables, "ACCESS EXCLUSIVE")
    )
    deadline = time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        try:
            with conn.transaction():
                conn.execute(attempt)
        except errors.QueryCanceled:
            if time.monotonic() > deadline:
                raise ReadersInTheWayError(ReadersInTheWayError.__doc__) from None
            time.sleep(PAUSE)
        else:
            return began


def _lock(tables: Sequence[sql.Identifier], mode: LiteralString) -> sql.Composed:
    return sql.SQL(f"LOCK TABLE {{}} IN {mode} MODE").format(sql.SQL(", ").join(tables))
