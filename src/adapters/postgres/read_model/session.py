"""Connections of the read models: settings that make text, times and floats come out alike everywhere."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, UndefinedColumn, UndefinedTable
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.types.string import BytesBinaryDumper

from adapters.postgres import locks
from adapters.postgres.database import CLIENT_ALIVE
from adapters.postgres.errors import damaged, refused
from adapters.postgres.read_model.refused_rows import REFUSALS, said
from application.ports.read_model import (
    OtherVersionError,
    ReadModelUnavailableError,
    RebuildRunningError,
    RowRefusedError,
)

_CANCEL_SECONDS = 5.0
_CANCEL_AGAIN_SECONDS = 0.2
_COPYING = frozenset({ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH})
_SETTINGS = """
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET default_transaction_isolation = 'read committed';
SET jit = off;
SET work_mem = '64MB';
SET maintenance_work_mem = '256MB';
SET default_statistics_target = 20;
"""
"""A follower's batch waits for the statistics that it gathers: a smaller sample does until the server takes its own."""
_NO_LIMITS = """
SELECT set_config(name, '0', false) FROM unnest(ARRAY['statement_timeout', 'transaction_timeout',
    'idle_in_transaction_session_timeout', 'idle_session_timeout']) AS name
WHERE current_setting(name, true) IS NOT NULL
"""
"""What keeps short questions short would end each build of a long log, always at the same place; as in pg_dump."""

_HOLDER = """
SELECT format('session %%s (%%s)', a.pid, application_name)
    || coalesce(', since ' || to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', '')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32) + objid::bigint = %s
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def connect(conninfo: str) -> Connection:
    """Open a connection in autocommit mode, without prepared statements: a swap changes what names mean."""
    name = f"dataflow read models (process {os.getpid()})"
    conn = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None, fallback_application_name=name)
    conn.execute(f"{_SETTINGS}{CLIENT_ALIVE};{_NO_LIMITS}".encode())
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
            raise RebuildRunningError(_running(conn))
        try:
            yield conn
        finally:
            # Closing alone frees the lock a moment later; a connection that is gone has freed it already.
            with suppress(psycopg.Error):
                conn.execute("SELECT pg_advisory_unlock(%s)", [locks.REBUILD])


def _running(conn: Connection) -> str:
    """Say who holds the lock of rebuilds: one that was stopped holds it until it goes on, or is ended."""
    holder = conn.execute(_HOLDER, [locks.REBUILD]).fetchone()
    return f"{RebuildRunningError.__doc__}" + (f" It is that of {holder[0]}" if holder else "")


def settle(conn: Connection) -> None:
    """Bring a connection that an interruption may have left within a statement to where it takes the next one.

    What was under way is cancelled and rolled back; where that can't be done, the connection is closed.
    """
    if conn.pgconn.transaction_status == TransactionStatus.ACTIVE:
        try:
            if not _cancelled(conn):
                conn.close()
                return
        except (psycopg.Error, OSError):
            conn.close()
            return
    if conn.pgconn.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
        conn.rollback()


def _cancelled(conn: Connection) -> bool:
    """Cancel what is under way, and read to its end; tell whether the connection can take another statement then.

    The server takes no notice of a cancel that overtakes its statement, so that one that is heeded by nobody is sent
    again: https://www.postgresql.org/docs/current/libpq-cancel.html.
    """
    deadline = time.monotonic() + _CANCEL_SECONDS
    while (remaining := deadline - time.monotonic()) > 0:
        conn.cancel_safe(timeout=remaining)
        ended = _read_to_the_end(conn.pgconn, min(remaining, _CANCEL_AGAIN_SECONDS))
        if ended is not None:
            return ended
    return False


def _read_to_the_end(pgconn: PGconn, seconds: float) -> bool | None:
    """Read what the server says of a statement: True at its end, False within a COPY, None where time is up before."""
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0:
        unsent = [pgconn.socket] if pgconn.flush() else []
        select.select([pgconn.socket], unsent, [], remaining)
        pgconn.consume_input()
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                return True
            if result.status in _COPYING:
                return False
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors about the connection, the server or the rows into the port's.

    Raises:
        ReadModelUnavailableError: the database can't be reached, or can't go on.
        RefusedByDatabaseError: its role may not do something that is needed, or it failed by itself.
        RowRefusedError: a row that came out of the log does not keep a constraint of its table.
    """
    try:
        yield
    except (psycopg.OperationalError, ReadOnlySqlTransaction) as error:
        raise ReadModelUnavailableError(f"the database of the read models: {error}") from error
    except InsufficientPrivilege as error:
        raise refused(error) from error
    except psycopg.InternalError as error:
        if own := damaged(error):
            raise own from error
        raise
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
