"""The cases of processes: written with their events, read by themselves and by people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool

from adapters.postgres.bronze import by_column
from adapters.postgres.errors import translated
from application.ports.cases import Case, CaseChanges, CaseStatus

_NOTE = (
    "INSERT INTO processes.cases (process, event_id, position, status, stream_id, code, detail, attempts, noted_at, "
    "due_at) SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], "
    "%s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[]) "
    "ON CONFLICT (process, event_id) DO UPDATE SET status = excluded.status, stream_id = excluded.stream_id, "
    "code = excluded.code, detail = excluded.detail, attempts = excluded.attempts, noted_at = excluded.noted_at, "
    "due_at = excluded.due_at"
)
_CLOSE = "DELETE FROM processes.cases WHERE process = %s AND event_id = ANY(%s)"
_CASES = (
    "SELECT process, event_id, position, status, stream_id, code, detail, attempts, noted_at, due_at "
    "FROM processes.cases WHERE process = %(process)s AND (%(status)s::text IS NULL OR status = %(status)s) "
    "AND position > %(after)s ORDER BY position, event_id LIMIT %(limit)s"
)
_COUNTS = "SELECT status, count(*) FROM processes.cases WHERE process = %(process)s GROUP BY status"


def write(cursor: Cursor[DictRow], changes: CaseChanges) -> None:
    """Note and close cases."""
    if changes.closed:
        cursor.execute(_CLOSE, [changes.process, list(changes.closed)])
    if changes.noted:
        cursor.execute(_NOTE, by_column([(*case[:3], case.status.value, *case[4:]) for case in changes.noted]))


class PostgresCaseBook:
    """The `CaseBook` port on PostgreSQL."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def cases(
        self, process: str, status: CaseStatus | None = None, *, after: int = 0, limit: int | None = None
    ) -> list[Case]:
        """Return a process's cases in the order of the log; see the port."""
        wanted = {"process": process, "status": status, "after": after, "limit": limit}
        return [Case(*row)._replace(status=CaseStatus(row[3])) for row in self._query(_CASES, wanted)]

    def counts(self, process: str) -> Mapping[CaseStatus, int]:
        """Count a process's cases."""
        counted = dict(self._query(_COUNTS, {"process": process}))
        return {status: counted.get(status.value, 0) for status in CaseStatus}

    def _query(self, query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with translated(), self._pool.connection() as connection:
            return connection.execute(query.encode(), parameters).fetchall()
