"""Statistics for the planner: those of tables that grow from nothing, until the server gathers its own."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log2

from psycopg import Connection, sql


def due(tables: Sequence[str], before: int, after: int) -> list[str]:
    """Return the tables whose statistics are to be renewed when the log grows from one position to another.

    Each one's turn comes once while the log doubles, and never that of all at once: whoever waits for a small batch
    waits for few of them, and a batch that doubles the log renews all.
    """
    return [
        name
        for number, name in enumerate(tables)
        if _turns(after, number / len(tables)) > _turns(before, number / len(tables))
    ]


def _turns(position: int, phase: float) -> int:
    return floor(log2(max(position, 0.5)) - phase)


def analyze(conn: Connection, schema: str, tables: Sequence[str]) -> None:
    """Gather statistics: a fresh table without them gets plans for a tiny one."""
    names = [sql.Identifier(schema, name) for name in tables]
    if names:
        conn.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(names)))
