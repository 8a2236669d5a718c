"""Comments on a table or view and its columns: what they mean, where anybody with a client for SQL finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from psycopg import Connection, sql


def comment(
    conn: Connection, kind: Literal["TABLE", "VIEW"], name: sql.Identifier, meaning: str, columns: Mapping[str, str]
) -> None:
    """Say what it is and what its columns mean, at once: a statement for each of them is a round trip for each."""
    table = name.as_string(conn)
    meanings = {f"{kind} {table}": meaning} | {
        f"COLUMN {table}.{sql.Identifier(column).as_string(conn)}": text for column, text in columns.items()
    }
    statements = [f"COMMENT ON {what} IS {sql.Literal(text).as_string(conn)}" for what, text in meanings.items()]
    conn.execute("; ".join(statements).encode())
