"""Connections of the read models: settings that make text, times and floats come out alike everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.string import BytesBinaryDumper

from adapters.postgres import locks
from adapters.postgres.errors import refused
from adapters.postgres.read_model.refused_rows import REFUSALS, said
from application.ports.read_model import (
    OtherVersionError,
    ReadModelUnavailableError,
    RebuildRunningError,
    RowRefusedError,
)

_CANCEL_SECONDS = 5.0
_COPYING = frozenset({ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH})
_SETTINGS = """
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET jit = off;
SET work_mem = '64MB';
SET maintenance_work_mem = '256MB';
SET default_statistics_target = 20;
"""
"""A follower's batch waits for the statistics that it gathers: a smaller sample does until the server takes its own."""


def connect(conninfo: str) -> Connection:
    """Open a connection in autocommit mode, without prepared statements: a swap changes what names mean."""
    conn = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)
    conn.execute(_SETTINGS)
    # The last one registered for bytea counts: this one is written in C, the DB-API's is not.
    conn.adapters.register_dumper(bytes, BytesBinaryDumper)
    return conn


@contextmanager
def only_rebuild(conninfo: str) -> Iterator[Connection]:
    """Give a connection that holds the lock of the one rebuild or verification that may run.

    Raises:
        RebuildRunningError: another one is running.
    """
    with closing(connect(conninfo)) as conn:
        if not next(conn.execute("SELECT pg_try_advisory_lock(%s)", [locks.REBUILD]))[0]:
            raise RebuildRunningError(RebuildRunningError.__doc__)
        try:
            yield conn
        finally:
            # Closing alone frees the lock a moment later; a connection that is gone has freed it already.
            with suppress(psycopg.Error):
                conn.execute("SELECT pg_advisory_unlock(%s)", [locks.REBUILD])


def settle(conn: Connection) -> None:
    """Bring a connection that an interruption may have left within a statement to where it takes the next one.

    What was under way is cancelled and rolled back; where that can't be done, the connection is closed.
    """
    if conn.pgconn.transaction_status == TransactionStatus.ACTIVE:
        try:
            conn.cancel_safe(timeout=_CANCEL_SECONDS)
            while (result := conn.pgconn.get_result()) is not None:
                if result.status in _COPYING:
                    conn.close()
                    return
        except psycopg.Error:
            conn.close()
            return
    if conn.pgconn.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
        conn.rollback()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors about the connection, the server or the rows into the port's.

    Raises:
        ReadModelUnavailableError: the database can't be reached, or can't go on.
        RefusedByDatabaseError: its role may not do something that is needed.
        RowRefusedError: a row that came out of the log does not keep a constraint of its table.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        raise ReadModelUnavailableError(f"the database of the read models: {error}") from error
    except InsufficientPrivilege as error:
        raise refused(error) from error
    except REFUSALS as error:
        raise RowRefusedError(f"{said(error)}. {RowRefusedError.__doc__}") from error


@contextmanager
def of_this_version() -> Iterator[None]:
    """Say so where the live tables lack a column or a table that this version of the code has.

    Raises:
        OtherVersionError: another version made them.
    """
    try:
        yield
    except (UndefinedColumn, UndefinedTable) as error:
        raise OtherVersionError(
            f"another version of the code made silver and gold: {error.diag.message_primary}; "
            "`dataflow rebuild --accept-changes` makes them anew with this one"
        ) from error
