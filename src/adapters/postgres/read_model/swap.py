"""Swap: put a build aside in place of the live one, in the transaction that the caller holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

from psycopg import Connection, errors, sql

from adapters.postgres.read_model.grants import carry_rights
from adapters.postgres.read_model.made import LIVE_BUILD, made_by, schemas_not_of
from adapters.postgres.read_model.others import dependents, made_within, parts_without_equal, say_schemas
from adapters.postgres.read_model.row_security import row_security
from adapters.postgres.read_model.schemas import LIVE, OLD, PATIENCE, Schemas, held_by, table_names
from application.ports.read_model import DependentObjectsError, ReadersInTheWayError, SchemaInTheWayError

log = logging.getLogger(__name__)
PAUSE = 0.05
ATTEMPT_MILLISECONDS = 75
"""How long an attempt to lock the tables may keep new readers waiting, behind those that still read.

What is left of 100 ms is for the renaming and the commit.
"""
_VACUUMS = "SHARE UPDATE EXCLUSIVE"
"""The mode that keeps vacuums out, not reading and writing."""


def swap(conn: Connection, aside: Schemas) -> float:
    """Keep the live schemas as those of the build `OLD`, and give their names to those aside.

    Returns from when on new readers had to wait, by the monotonic clock. `aside` may be the old ones themselves.

    Every live table is locked first: a statement or transaction that has read one of them keeps all of
    them until its end, so that nobody sees some tables old and some new. The caller commits at once.

    Raises:
        ReadersInTheWayError: for `PATIENCE` seconds there was no moment without a reader or a vacuum.
        RightsNotCarriedError: what others may do with the live tables can't be given to those aside.
        DependentObjectsError: a policy of a live table does not fit the one aside.
    """
    # What is checked at the commit is checked now, while readers still read.
    conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    say_schemas(conn)
    carry_rights(conn, LIVE, aside)
    with _patiently(conn):
        # The server locks the tables that a policy looks into when it says it.
        policies = row_security(conn, LIVE, aside)
    if policies:
        # Whoever reads or vacuums these is waited for now: later, all readers of the live tables would wait as well.
        _keep_out(conn, _tables(conn, aside), "ACCESS EXCLUSIVE")
    locked_at = _lock_tables(conn)
    # All at once: readers wait, and on a busy machine each answer to this process takes its time.
    parting = Schemas.aside()
    renaming = [LIVE.renaming(parting), aside.renaming(LIVE), parting.renaming(Schemas.named(OLD))]
    try:
        conn.execute(b"; ".join([sql.SQL("; ").join(renaming).as_bytes(conn), *map(str.encode, policies)]))
    except (errors.UndefinedColumn, errors.UndefinedFunction, errors.UndefinedTable) as error:
        raise DependentObjectsError(
            f"a policy of the live tables does not fit the new ones: {error.diag.message_primary}; drop it, rebuild,"
            f" create it again. {DependentObjectsError.__doc__}"
        ) from error
    return locked_at


def refuse_losses(conn: Connection, defined: Collection[str], *, replaces_kept: bool) -> None:
    """Refuse a swap by which others would lose what they made.

    `defined` are the tables and views that the definitions have; `replaces_kept`: it drops the build that is kept, and
    does not put it back, which nothing is compared for.

    Raises:
        SchemaInTheWayError: what has the name of the schemas that are kept is somebody else's.
        DependentObjectsError: it names what hangs on tables that are left or dropped, and what to do.
    """
    if names := dependents(conn, LIVE):
        raise DependentObjectsError(
            f"these would stay with the old ones: {', '.join(names)}; drop them, rebuild, create them again."
            f" {DependentObjectsError.__doc__}"
        )
    if names := made_within(conn, LIVE, made_by(conn, LIVE_BUILD), defined, compared=replaces_kept):
        raise DependentObjectsError(
            f"these would be left behind with the old tables: {', '.join(names)}; drop them, or move them to a schema"
            f" of your own, and rebuild. {DependentObjectsError.__doc__}"
        )
    refuse_schemas_of_others(conn, OLD, defined)
    kept = Schemas.named(OLD)
    beside = made_within(conn, kept, made_by(conn, OLD), defined, compared=False)
    if not replaces_kept:
        if beside:
            raise DependentObjectsError(
                f"these would come to be live with the tables that are kept: {', '.join(beside)}; drop them, or move"
                f" them to a schema of your own, and swap back. {DependentObjectsError.__doc__}"
            )
        return
    if names := dependents(conn, kept) + beside:
        raise DependentObjectsError(
            f"these hang on the tables that are kept, or are beside them, which are next to be dropped:"
            f" {', '.join(names)}; drop them, and rebuild. {DependentObjectsError.__doc__}"
        )


def refuse_schemas_of_others(conn: Connection, build: str, defined: Collection[str]) -> None:
    """Refuse to drop or swap in schemas that have the names of a build's, and are somebody else's.

    Raises:
        SchemaInTheWayError: it names them, and says what to do.
    """
    for name in schemas_not_of(conn, build, defined):
        raise SchemaInTheWayError(
            f"the schema {name} has the name of one of the build {build!r}, and holds nothing that this made: rename it"
            f" (ALTER SCHEMA {name} RENAME TO ...), or drop it where nothing in it is to be kept, then try again."
            " Nothing was changed"
        )


def say_what_stays(conn: Connection, aside: Schemas) -> None:
    """Warn of what stays with the tables that are kept, since no definition has it."""
    if parts := parts_without_equal(conn, LIVE, aside):
        log.warning("stays with the tables of before the swap, for no definition has it: %s", ", ".join(parts))


def end_vacuums(conn: Connection) -> None:
    """Let the server end its own vacuums of live tables, one table after the other, while followers and readers go on.

    It ends one that somebody waits for, but only after a second; a swap must not keep the followers waiting so long.

    Raises:
        ReadersInTheWayError: somebody else vacuums or analyses a table for longer than `PATIENCE`.
    """
    for table in _tables(conn, LIVE):
        with conn.transaction():
            _keep_out(conn, [table], _VACUUMS)


def _tables(conn: Connection, schemas: Schemas) -> list[sql.Identifier]:
    return [sql.Identifier(schema, name) for schema in schemas for name in table_names(conn, schema)]


def _keep_out(conn: Connection, tables: Sequence[sql.Identifier], mode: LiteralString) -> None:
    """Lock tables in a mode, for which whoever is in the way is waited for."""
    with _patiently(conn, tables):
        conn.execute(_lock(tables, mode))


@contextmanager
def _patiently(conn: Connection, tables: Sequence[sql.Identifier] = ()) -> Iterator[None]:
    """Wait for `PATIENCE` seconds at most for locks, those of `tables`, from now to the end of the transaction."""
    conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(f"{PATIENCE}s"))
    try:
        with conn.transaction():
            yield
    except errors.LockNotAvailable:
        raise _readers_in_the_way(conn, tables) from None


def _readers_in_the_way(conn: Connection, tables: Sequence[sql.Identifier]) -> ReadersInTheWayError:
    """Return what is said of those who hold tables, with the first of them, the oldest first."""
    found = held_by(conn, [table.as_string(conn) for table in tables])
    return ReadersInTheWayError(f"{ReadersInTheWayError.__doc__}" + (f" They are held by {found}" if found else ""))


def _lock_tables(conn: Connection) -> float:
    """Keep everybody out; return when the attempt that succeeded began, for new readers wait from then on."""
    tables = _tables(conn, LIVE)
    if not tables:
        return time.monotonic()
    _keep_out(conn, tables, _VACUUMS)
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
                raise _readers_in_the_way(conn, tables) from None
            time.sleep(PAUSE)
        else:
            return began


def _lock(tables: Sequence[sql.Identifier], mode: LiteralString) -> sql.Composed:
    return sql.SQL(f"LOCK TABLE {{}} IN {mode} MODE").format(sql.SQL(", ").join(tables))
