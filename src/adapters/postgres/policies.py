"""Policies in PostgreSQL, in a schema of their own that no rebuild touches."""

from __future__ import annotations

from dataclasses import astuple
from datetime import datetime

from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.ports.event_store import ConcurrencyConflictError
from application.ports.policies import PolicyChangedError
from application.queries.policies import Policy, Rule

_COLUMNS = "due, basis, unit, tolerance, grain, in_full, cancelled"
_HISTORY = (
    "SELECT name, version, note, valid_from, lead(valid_from) OVER (PARTITION BY name ORDER BY version), "
    f"{_COLUMNS} FROM policies.kpi_policy ORDER BY name, version"
)
_INSERT = (
    f"INSERT INTO policies.kpi_policy (name, version, note, actor, valid_from, {_COLUMNS}) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


class PostgresPolicies:
    """The `Policies` port; see there."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def history(self) -> list[Policy]:
        """Return all versions in order of name and version."""
        with translated(), self._pool.connection() as connection:
            rows = connection.execute(_HISTORY.encode()).fetchall()
        return [
            Policy(name, version, Rule(*rule), note, valid_from, valid_to)
            for name, version, note, valid_from, valid_to, *rule in rows
        ]

    def record(self, name: str, rule: Rule, note: str, actor: str, now: datetime) -> Policy:
        """Keep a rule as the next version of a policy."""
        version = 1 + max((policy.version for policy in self.history() if policy.name == name), default=0)
        try:
            with translated(), self._pool.connection() as connection:
                connection.execute(_INSERT.encode(), (name, version, note, actor, now, *astuple(rule)))
        except ConcurrencyConflictError as error:
            raise PolicyChangedError(PolicyChangedError.__doc__) from error
        return Policy(name, version, rule, note, now)
