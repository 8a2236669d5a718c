"""Business days in PostgreSQL, in a schema of their own that no rebuild touches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from adapters.postgres.read_model import log
from adapters.postgres.read_model.certify import summarise
from adapters.postgres.read_model.recorded_time import known_at
from adapters.postgres.read_model.schemas import LIVE, Schemas
from adapters.postgres.read_model.session import connect
from adapters.postgres.read_model.session import translated as translated_for_read_models
from application.ports.builds import LIVE as LIVE_BUILD
from application.ports.runs import BusinessDay, Known

_FIX = "INSERT INTO runs.days (day, position, known) VALUES (%s, %s, %s::jsonb) ON CONFLICT (day) DO NOTHING"
_FIND = "SELECT day, position, fixed_at, known::text, checked::text, digests::text FROM runs.days WHERE day = %s"
_NOTE = "UPDATE runs.days SET checked = %s::jsonb, digests = %s::jsonb WHERE day = %s"
_KEEP = (
    "INSERT INTO runs.reports (day, document) VALUES (%s, %s)"
    " ON CONFLICT (day) DO UPDATE SET document = excluded.document, kept_at = now()"
    " WHERE reports.document <> excluded.document"
)
_REPORTS = "SELECT day, document FROM runs.reports WHERE day BETWEEN %s AND %s ORDER BY day"
_BUILD = "SELECT position FROM replay.builds WHERE name = %s"


class PostgresRuns:
    """The `Runs` port; see there."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def fix(self, day: date, known: Known, due_again: datetime) -> BusinessDay:
        """Return a day as it was fixed; the first time, fix it."""
        with translated(), self._pool.connection() as connection:
            found = _find(connection, day)
            if found is None:
                connection.execute(_FIX, [day, _position(connection, due_again), _json(known)])
                found = _find(connection, day)
        assert found is not None
        return found

    def find(self, day: date) -> BusinessDay | None:
        """Return a day as it was fixed, None where it was not."""
        with translated(), self._pool.connection() as connection:
            return _find(connection, day)

    def note(self, day: BusinessDay) -> None:
        """Keep what was checked and digested of a day."""
        with translated(), self._pool.connection() as connection:
            connection.execute(_NOTE, [_json(day.checked), _json(day.digests), day.day])

    def keep_report(self, day: date, document: bytes) -> None:
        """Keep the report of a day in place of an earlier one."""
        with translated(), self._pool.connection() as connection:
            connection.execute(_KEEP, [day, document.decode()])

    def reports(self, first: date, last: date) -> dict[date, bytes]:
        """Return the reports kept of these days, in order."""
        with translated(), self._pool.connection() as connection:
            return {day: text.encode() for day, text in connection.execute(_REPORTS, [first, last])}


class PostgresDigests:
    """The `Digests` port; see there."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    def __call__(self, build: str) -> tuple[int, dict[str, str]]:
        """Return the position of a build, and the digest of each of its gold tables."""
        schemas = LIVE if build == LIVE_BUILD else Schemas.named(build)
        with translated_for_read_models(), connect(self._conninfo) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with conn.transaction():
                if build == LIVE_BUILD:
                    position = log.read_checkpoint(conn)
                else:
                    (position,) = next(conn.execute(_BUILD, [build]))
                tables = summarise(conn, schemas.gold)
        return position, {name: f"{table.rows}:{table.digest}" for name, table in tables.items()}


def _find(connection: Connection, day: date) -> BusinessDay | None:
    row: Sequence[Any] | None = connection.execute(_FIND, [day]).fetchone()
    if row is None:
        return None
    found, position, fixed_at, *parts = row
    known, checked, digests = (None if part is None else msgspec.json.decode(part) for part in parts)
    plain = {
        "day": found,
        "position": position,
        "fixed_at": fixed_at,
        "known": known,
        "checked": checked,
        "digests": digests,
    }
    return msgspec.convert(plain, BusinessDay)


def _position(connection: Connection, due_again: datetime) -> int:
    """Return where a day is fixed now: what was known when it would have been run."""
    if due_again <= datetime.now(UTC):
        known = known_at(connection, due_again)
        if known.position:
            return known.position
    return log.read_head(connection)


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
