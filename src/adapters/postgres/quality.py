"""The quality checks in PostgreSQL, behind the port."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import Connection

from adapters.postgres.read_model.session import connect, of_this_version, translated
from application.ports.quality import CheckResult, QualityRun
from application.quality.check import Check, Severity

MAX_KEYS = 20
"""Offending keys that are kept of each check."""

_POSITION = (
    "SELECT coalesce(max(notification_id), 0) FROM events.notification_tracking WHERE application_name = 'analytics'"
)
_LAST = "SELECT run_id, checked_at, position FROM quality.runs ORDER BY run_id DESC LIMIT 1"
_RESULTS = (
    "SELECT name, kind, severity, description, offending, keys FROM quality.results WHERE run_id = %s ORDER BY name"
)
_BEGIN = "INSERT INTO quality.runs (position) VALUES (%s) RETURNING run_id, checked_at"
_THIN = (
    "DELETE FROM quality.results WHERE (run_id, name) IN "
    "(SELECT run_id, name FROM quality.results WHERE run_id < %s AND offending = 0 FOR UPDATE SKIP LOCKED)"
)
_KEEP = (
    "INSERT INTO quality.results (run_id, name, kind, severity, description, offending, keys) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s)"
)


class PostgresQuality:
    """Implements `Quality` on the schemas bronze, events, silver and gold; keeps results in the schema quality.

    Of each run what failed is kept, of the last one also what passed: they come with every load.
    """

    def __init__(self, conninfo: str) -> None:
        """Nothing is connected yet."""
        self._conninfo = conninfo

    def run(self, checks: Sequence[Check]) -> QualityRun:
        """Run the checks on one snapshot, so that layers are compared as of one moment, and keep the results."""
        with translated(), of_this_version(), connect(self._conninfo) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with conn.transaction():
                # Before the snapshot: a rebuild that is being put in place is waited for, then seen.
                conn.execute("LOCK TABLE gold.fact_order IN ACCESS SHARE MODE")
                (position,) = next(conn.execute(_POSITION))
                results = tuple(_run(conn, check) for check in checks)
                run = _keep(conn, position, results)
            # On its own: of two runs at a time, neither fails for rows that the other deletes.
            conn.isolation_level = None
            conn.execute(_THIN, [run.run_id])
            return run

    def last(self) -> QualityRun | None:
        """Return the last run, None before the first."""
        with translated(), connect(self._conninfo) as conn:
            found = conn.execute(_LAST).fetchone()
            if found is None:
                return None
            run_id, checked_at, position = found
            rows = conn.execute(_RESULTS, [run_id])
            results = tuple(CheckResult(n, k, Severity(s), d, o, tuple(keys)) for n, k, s, d, o, keys in rows)
            return QualityRun(run_id, checked_at, position, results)


def _run(conn: Connection, check: Check) -> CheckResult:
    query = f"SELECT count(*), coalesce((array_agg(key))[:{MAX_KEYS}], '{{}}') FROM ({check.query}) AS found (key)"
    offending, keys = next(conn.execute(query.encode()))
    return CheckResult(check.name, check.kind, check.severity, check.description, offending, tuple(map(str, keys)))


def _keep(conn: Connection, position: int, results: Sequence[CheckResult]) -> QualityRun:
    run_id, checked_at = next(conn.execute(_BEGIN, [position]))
    with conn.cursor() as cursor:
        cursor.executemany(
            _KEEP,
            [(run_id, r.name, r.kind, r.severity, r.description, r.offending, list(r.keys)) for r in results],
        )
    return QualityRun(run_id, checked_at, position, tuple(results))
