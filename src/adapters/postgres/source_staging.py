"""A reading of a source in one transaction: what was read is compared with what is kept, in sets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import psycopg

from adapters.postgres.source_positions import move_positions
from application.ports.source_ledger import AmbiguousKeyError, KeptRow, Reading, SourceShrankError

MOST_GONE = 100
"""Rows of a table that may be gone at once, however few it has; beyond, at most half of them."""

_TABLES = (
    'CREATE TEMP TABLE scanned (table_name text COLLATE "C", key text COLLATE "C", root text, grp text, '
    "content bytea, version text, position bigint) ON COMMIT DROP",
    'CREATE TEMP TABLE present (table_name text COLLATE "C", key text COLLATE "C", version text) ON COMMIT DROP',
)
_ADD_ROWS = "COPY scanned (table_name, key, root, grp, content, version, position) FROM STDIN (FORMAT BINARY)"
_ROW_TYPES = ("text", "text", "text", "text", "bytea", "text", "int8")
_ADD_KEYS = "COPY present (table_name, key, version) FROM STDIN (FORMAT BINARY)"
_KNOWN = "r.source = %(source)s AND r.table_name = {0}.table_name AND r.key = {0}.key"
_MISSING = (
    "SELECT p.key FROM present p WHERE p.table_name = %(table)s "
    f"AND NOT EXISTS (SELECT FROM sources.rows r WHERE {_KNOWN.format('p')} "
    "AND r.content IS NOT NULL AND r.version IS NOT DISTINCT FROM p.version) "
    "AND NOT EXISTS (SELECT FROM scanned s WHERE s.table_name = p.table_name AND s.key = p.key) "
    "ORDER BY p.key LIMIT %(limit)s"
)
_TWICE = "SELECT table_name, key FROM scanned GROUP BY table_name, key HAVING count(*) > 1 ORDER BY 1, 2 LIMIT 1"
_PRESENT = (
    "INSERT INTO present SELECT table_name, key FROM scanned "
    "WHERE table_name = ANY(%(complete)s) AND NOT table_name = ANY(%(keyed)s)"
)
# A row of a log that was sent again is older than what is kept, or the same.
_OUTDATED = "s.position < r.position"
_SAME = "s.content IS NOT DISTINCT FROM r.content"
_INTO_CHANGES = "INSERT INTO sources.changes (source, table_name, key, root, grp, version, position, content, seen_at) "
# What was kept aside before is replaced, unless it is the same or newer; only what is new touches its group.
_TOUCHING = (
    "ON CONFLICT (source, table_name, key) DO UPDATE SET version = excluded.version, position = excluded.position, "
    "content = excluded.content, seen_at = excluded.seen_at WHERE changes.content IS DISTINCT FROM excluded.content "
    "AND (excluded.position < changes.position) IS NOT TRUE RETURNING source, root, grp), "
    "touched AS (INSERT INTO sources.touched (source, root, grp, seen_at) "
    "SELECT DISTINCT source, root, grp, %(seen_at)s::timestamptz FROM changed ON CONFLICT DO NOTHING) "
    "SELECT count(*) FROM changed"
)
_CHANGED = (
    f"WITH changed AS ({_INTO_CHANGES}"
    "SELECT %(source)s, s.table_name, s.key, s.root, s.grp, s.version, s.position, s.content, %(seen_at)s "
    f"FROM scanned s LEFT JOIN sources.rows r ON {_KNOWN.format('s')} "
    f"WHERE ({_OUTDATED}) IS NOT TRUE AND (NOT {_SAME} OR r.key IS NULL) {_TOUCHING}"
)
_GONE_ROWS = (
    "FROM sources.rows r WHERE r.source = %(source)s AND r.content IS NOT NULL AND r.table_name = ANY(%(complete)s) "
    "AND NOT EXISTS (SELECT FROM present p WHERE p.table_name = r.table_name AND p.key = r.key)"
)
_GONE = (
    f"WITH changed AS ({_INTO_CHANGES}"
    "SELECT r.source, r.table_name, r.key, r.root, r.grp, NULL, r.position, NULL::bytea, %(seen_at)s "
    f"{_GONE_ROWS} {_TOUCHING}"
)
_BACK_AGAIN = (
    "DELETE FROM sources.changes c USING scanned s, sources.rows r WHERE c.source = %(source)s "
    "AND c.table_name = s.table_name AND c.key = s.key "
    f"AND {_KNOWN.format('s')} AND {_SAME} AND (s.position < c.position) IS NOT TRUE"
)
_NEVER_KEPT = (
    "DELETE FROM sources.changes c WHERE c.source = %(source)s AND c.table_name = ANY(%(complete)s) "
    "AND NOT EXISTS (SELECT FROM present p WHERE p.table_name = c.table_name AND p.key = c.key) "
    f"AND NOT EXISTS (SELECT FROM sources.rows r WHERE {_KNOWN.format('c')})"
)
_SHRANK = (
    f"WITH gone AS (SELECT r.table_name, count(*) AS gone {_GONE_ROWS} GROUP BY r.table_name), "
    "kept AS (SELECT table_name, count(*) AS kept FROM sources.rows "
    "WHERE source = %(source)s AND content IS NOT NULL GROUP BY table_name) "
    "SELECT table_name, gone, kept FROM gone JOIN kept USING (table_name) "
    "WHERE gone > greatest(%(most)s, kept / 2) ORDER BY table_name LIMIT 1"
)
_CONFIRMED = (
    "UPDATE sources.rows r SET version = s.version, position = coalesce(s.position, r.position) FROM scanned s "
    f"WHERE {_KNOWN.format('s')} AND {_SAME} AND ({_OUTDATED}) IS NOT TRUE "
    "AND (r.version, r.position) IS DISTINCT FROM (s.version, coalesce(s.position, r.position))"
)
_BY_LOOKUP = (
    "INSERT INTO sources.touched (source, root, grp, seen_at) "
    "SELECT source, root, grp, %(seen_at)s::timestamptz FROM sources.rows "
    "WHERE source = %(source)s AND root = ANY(%(roots)s) AND content IS NOT NULL "
    "AND EXISTS (SELECT FROM sources.changes c WHERE c.source = %(source)s AND c.table_name = %(table)s) "
    "UNION SELECT source, root, grp, %(seen_at)s FROM sources.changes "
    "WHERE source = %(source)s AND root = ANY(%(roots)s) "
    "AND EXISTS (SELECT FROM sources.changes c WHERE c.source = %(source)s AND c.table_name = %(table)s) "
    "ON CONFLICT DO NOTHING"
)
_AT_FIRST = (
    "INSERT INTO sources.touched (source, root, grp, seen_at) SELECT %(source)s, '', '', %(seen_at)s "
    "WHERE NOT EXISTS (SELECT FROM sources.state WHERE source = %(source)s AND begun) ON CONFLICT DO NOTHING"
)


class PostgresStaging:
    """The `Staging` port: temporary tables of one transaction."""

    def __init__(self, connection: psycopg.Connection, source: str, claimed: Mapping[str, str]) -> None:
        """Begin a reading of a source; `claimed` are the ids of the topics that it is read from, if it is."""
        self._connection = connection
        self._source = source
        self._claimed = claimed
        self._keyed: set[str] = set()
        for statement in _TABLES:
            connection.execute(statement.encode())

    def add_rows(self, rows: Iterable[KeptRow]) -> int:
        """Take in rows as they are now."""
        added = 0
        with self._connection.cursor().copy(_ADD_ROWS) as copy:
            copy.set_types(_ROW_TYPES)
            for added, row in enumerate(rows, 1):  # noqa: B007
                copy.write_row(row)
        return added

    def add_keys(self, table: str, keys: Iterable[tuple[str, str | None]]) -> int:
        """Take in the keys of all rows of a table."""
        self._keyed.add(table)
        added = 0
        with self._connection.cursor().copy(_ADD_KEYS) as copy:
            copy.set_types(("text", "text", "text"))
            for added, key in enumerate(keys, 1):  # noqa: B007
                copy.write_row((table, *key))
        self._connection.execute("ANALYZE scanned, present")
        return added

    def missing(self, table: str, limit: int) -> list[str]:
        """Return keys whose row is not known as it is."""
        wanted = {"source": self._source, "table": table, "limit": limit}
        return [row[0] for row in self._connection.execute(_MISSING.encode(), wanted)]

    def contents(self, table: str, keys: Collection[str]) -> dict[str, bytes | None]:
        """Return the contents of rows before this reading; what is kept aside is newer than what is settled."""
        query = (
            "SELECT key, content FROM sources.rows WHERE source = %(source)s AND table_name = %(table)s "
            "AND key = ANY(%(keys)s) UNION ALL SELECT key, content FROM sources.changes "
            "WHERE source = %(source)s AND table_name = %(table)s AND key = ANY(%(keys)s)"
        )
        wanted = {"source": self._source, "table": table, "keys": list(keys)}
        return dict(self._connection.execute(query, wanted, binary=True).fetchall())

    def finish(self, reading: Reading) -> int:
        """Keep what differs, and how far was read; see the port."""
        self._connection.execute("ANALYZE scanned, present")
        self._require_unique()
        values = {
            "source": self._source,
            "seen_at": reading.seen_at,
            "complete": list(reading.complete),
            "keyed": list(self._keyed),
            "most": MOST_GONE,
        }
        self._run(_PRESENT, values)
        if not reading.accept_deletes:
            self._require_most(values)
        for statement in (_BACK_AGAIN, _NEVER_KEPT):
            self._run(statement, values)
        changed = self._count(_CHANGED, values) + self._count(_GONE, values)
        self._run(_CONFIRMED, values)
        for table, roots in reading.lookups.items():
            self._run(_BY_LOOKUP, {**values, "table": table, "roots": list(roots)})
        self._run(_AT_FIRST, values)
        _keep_marks(self._connection, self._source, reading.marks)
        read = (reading.positions, reading.read_from)
        move_positions(self._connection, self._source, *read, self._claimed, reached=reading.reached)
        return changed

    def _run(self, statement: str, values: Mapping[str, Any]) -> None:
        self._connection.execute(statement.encode(), values)

    def _count(self, statement: str, values: Mapping[str, Any]) -> int:
        row = self._connection.execute(statement.encode(), values).fetchone()
        return row[0] if row else 0

    def _require_unique(self) -> None:
        twice = self._connection.execute(_TWICE).fetchone()
        if twice is not None:
            raise AmbiguousKeyError(f"{twice[0]}: two rows have the key {twice[1]}; name all columns of its key")

    def _require_most(self, values: Mapping[str, Any]) -> None:
        shrank = self._connection.execute(_SHRANK.encode(), values).fetchone()
        if shrank is not None:
            raise SourceShrankError(
                f"{shrank[1]:,} of {shrank[2]:,} rows of {shrank[0]} are gone at the source; is it the right database? "
                "If they were deleted, run again with --accept-deletes"
            )


def _keep_marks(connection: psycopg.Connection, source: str, marks: Mapping[str, str]) -> None:
    for table, mark in marks.items():
        connection.execute(
            "INSERT INTO sources.marks (source, table_name, mark) VALUES (%s, %s, %s) "
            "ON CONFLICT (source, table_name) DO UPDATE SET mark = excluded.mark",
            [source, table, mark],
        )
