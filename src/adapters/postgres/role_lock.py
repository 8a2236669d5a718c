"""Roles as advisory locks: PostgreSQL frees them when their process is gone, however it went."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import LiteralString
from zlib import crc32

import psycopg

from adapters.postgres import locks
from adapters.postgres.database import CLIENT_ALIVE
from adapters.postgres.errors import translated
from application.ports.role_lock import Check, RoleLostError, RoleTakenError

_TRY = "SELECT pg_try_advisory_lock(%s, %s)"
_TRY_SHARED = "SELECT pg_try_advisory_lock_shared(%s, %s)"
_KEEP = (
    "SELECT set_config(name, '0', false) FROM (VALUES ('idle_session_timeout')) AS limits (name)"
    " WHERE current_setting(name, true) IS NOT NULL"
)
"""Whoever holds a role says nothing for as long as its work takes."""
_HOLDER = (
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid::bigint = %s AND l.granted "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class PostgresRoleLock:
    """The `RoleLock` port on PostgreSQL."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    @contextmanager
    def hold(self, role: str, *, shared: bool = False) -> Iterator[Check]:
        """Hold a role on a connection of its own; see the port."""
        number = crc32(role.encode()) & 0x7FFF_FFFF
        name = f"dataflow {role} (process {os.getpid()})"
        with translated():
            connection = psycopg.connect(self._conninfo, autocommit=True, application_name=name)
        with connection:
            with translated():
                _take(connection, number, _TRY_SHARED if shared else _TRY)
            try:
                yield partial(_require, connection, role)
            finally:
                # Closing alone frees the role a moment later; a connection that is gone has freed it already.
                with suppress(psycopg.Error):
                    connection.execute("SELECT pg_advisory_unlock_all()")


def _take(connection: psycopg.Connection, number: int, attempt: LiteralString) -> None:
    """Take a role, or say who holds it."""
    connection.execute(_KEEP)
    connection.execute(CLIENT_ALIVE.encode())
    row = connection.execute(attempt, [locks.ROLES, number]).fetchone()
    if row is None or not row[0]:
        holder = connection.execute(_HOLDER, [locks.ROLES, number]).fetchone()
        raise RoleTakenError(
            f"{holder[0] if holder else 'another process'} uses this data already; stop it first, "
            "or choose another data folder with DATAFLOW_HOME"
        )


def _require(connection: psycopg.Connection, role: str) -> None:
    """Ask the connection that holds the role whether it is still there: the server frees the role with it."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        raise RoleLostError(
            f"the database connection that held the role {role!r} ended, so another process may hold it now; "
            f"take it again: {str(error).strip()}"
        ) from error
