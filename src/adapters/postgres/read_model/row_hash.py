"""The 64-bit hash of a row, as SQL over its columns: half the time of the server's own hash of a record.

Each column is hashed with its number as the seed, so that equal values of two columns don't cancel out; the hashes are
put together, and the whole is hashed again, so that sums over rows tell which values stood in one row.
"""

from __future__ import annotations

from typing import NamedTuple

from psycopg import Connection, sql

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), p.proname
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN (
    pg_opclass c
    JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'hash'
    JOIN pg_amproc f ON f.amprocfamily = c.opcfamily AND f.amproclefttype = c.opcintype
        AND f.amprocrighttype = c.opcintype AND f.amprocnum = 2
    JOIN pg_proc p ON p.oid = f.amproc AND p.proargtypes[0] = c.opcintype
) ON c.opcdefault AND c.opcintype = CASE t.typcategory WHEN 'A' THEN 'anyarray'::regtype::oid ELSE a.atttypid END
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
"""Columns with their types, and the function that hashes each with a seed; null where it takes another type."""


class HashedColumn(NamedTuple):
    """A column, its type, and the function that hashes it."""

    name: str
    kind: str
    function: str | None


def hashed_columns(conn: Connection, table: tuple[str, str]) -> list[HashedColumn]:
    """Return the columns of a table in their order."""
    rows = conn.execute(_COLUMNS, [sql.Identifier(*table).as_string(conn)])
    return [HashedColumn(*row) for row in rows]


def summed_hashes(columns: list[HashedColumn], table: tuple[str, str]) -> sql.Composed:
    """Return the query for a table's rows and the sum of their hashes."""
    if not columns or any(column.function is None for column in columns):
        query = sql.SQL("SELECT count(*), coalesce(sum(hash_record_extended(t, 0)), 0)::text FROM {} AS t")
        return query.format(sql.Identifier(*table))
    # OFFSET 0: reckoned once, used twice. As the seed, all 64 bits count.
    return sql.SQL(
        "SELECT count(*), coalesce(sum(hashint8extended(h, h)), 0)::text FROM (SELECT {} AS h FROM {} OFFSET 0) AS t"
    ).format(sql.SQL(" # ").join(_hash(*each) for each in enumerate(columns, 1)), sql.Identifier(*table))


def _hash(number: int, column: HashedColumn) -> sql.Composed:
    return sql.SQL("coalesce(pg_catalog.{}({}, {}), {})").format(
        sql.Identifier(column.function or ""), sql.Identifier(column.name), number, number
    )
