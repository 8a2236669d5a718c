"""Certify: compare two builds table by table, name the rows that differ, and keep what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection, sql

from adapters.postgres.certificates import keep
from adapters.postgres.read_model.events_behind import with_events
from adapters.postgres.read_model.schemas import Schemas, table_names
from application.codec import known_topics
from application.replay.certificate import MAX_DIFFERENCES, Certificate, Difference, Purpose, TableCertificate
from application.replay.code_version import code_version

Keys = Mapping[str, Sequence[str]]
SOURCES = ("domain", "application", "adapters.postgres")
_ROW = msgspec.json.Decoder(float_hook=Decimal)


class Summary(NamedTuple):
    """What a table is compared by: its columns with their types, its rows, and their digest."""

    columns: tuple[tuple[str, str], ...]
    rows: int | None
    digest: str | None


_ABSENT = Summary((), None, None)


def certify(
    conn: Connection,
    live: Schemas,
    rebuilt: Schemas,
    keys: Keys,
    position: int,
    *,
    purpose: Purpose = "rebuild",
    started_at: datetime | None = None,
) -> Certificate:
    """Compare every table that either build has; keep the certificate, with the caller's transaction.

    `keys` gives the key columns of the tables to be; `started_at` is when the build began, by default now.
    """
    started_at = started_at or datetime.now(UTC)
    tables: list[TableCertificate] = []
    for live_schema, rebuilt_schema in zip(live, rebuilt, strict=True):
        left, right = summarise(conn, live_schema), summarise(conn, rebuilt_schema)
        for name in sorted({*left, *right}):
            sides = ((live_schema, name), (rebuilt_schema, name))
            tables.append(_compare(conn, sides, left.get(name, _ABSENT), right.get(name, _ABSENT), keys.get(name, ())))
    return issue(conn, position, with_events(conn, tables, position), purpose, started_at)


def issue(
    conn: Connection,
    position: int,
    tables: Sequence[TableCertificate],
    purpose: Purpose,
    started_at: datetime,
    **sample: int,
) -> Certificate:
    """Make a certificate and keep it; it comes back with its number."""
    certificate = Certificate(
        position=position,
        tables=tuple(tables),
        purpose=purpose,
        code_version=code_version(*SOURCES),
        event_versions=known_topics(),
        started_at=started_at,
        ended_at=datetime.now(UTC),
        **sample,
    )
    return replace(certificate, number=keep(conn, certificate))


def summarise(conn: Connection, schema: str) -> dict[str, Summary]:
    """Return what each table of a schema is compared by; it reads every row."""
    return {name: _summary(conn, (schema, name)) for name in table_names(conn, schema)}


def _summary(conn: Connection, table: tuple[str, str]) -> Summary:
    columns = conn.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [sql.Identifier(*table).as_string(conn)],
    ).fetchall()
    # Hashed column by column, without making text of them: a third of the time.
    digest = sql.SQL("SELECT count(*), coalesce(sum(hash_record_extended(t, 0)), 0)::text FROM {} AS t")
    rows, total = next(conn.execute(digest.format(sql.Identifier(*table))))
    return Summary(tuple(columns), rows, total)


def _compare(
    conn: Connection,
    sides: tuple[tuple[str, str], tuple[str, str]],
    left: Summary,
    right: Summary,
    key: Sequence[str],
) -> TableCertificate:
    equal = left == right
    comparable = bool(key) and all({*key} <= {name for name, _ in side.columns} for side in (left, right))
    differing, differences = 0, tuple[Difference, ...]()
    if comparable and not equal:
        live, rebuilt = (sql.Identifier(*side) for side in sides)
        differing, differences = find_differences(conn, live, rebuilt, key, alike=left.columns == right.columns)
    return TableCertificate(
        ".".join(sides[0]), left.rows, right.rows, left.digest, right.digest, equal, differing, differences
    )


def find_differences(
    conn: Connection,
    live: sql.Composable,
    rebuilt: sql.Composable,
    key: Sequence[str],
    parameters: Mapping[str, Any] | None = None,
    *,
    alike: bool = True,
) -> tuple[int, tuple[Difference, ...]]:
    """Count the keys whose rows differ between two tables or subqueries, and return the first of them.

    Where the two are `alike` in their columns, rows are compared as values; else as JSON, name by name.
    """
    differ = sql.SQL("l IS DISTINCT FROM r" if alike else "to_jsonb(l) IS DISTINCT FROM to_jsonb(r)")
    columns = sql.SQL(", ").join(map(sql.Identifier, key))
    query = sql.SQL(
        "SELECT count(*) OVER (), to_jsonb(l)::text, to_jsonb(r)::text FROM {live} AS l FULL JOIN {rebuilt} AS r"
        " USING ({keys}) WHERE {differ} ORDER BY {keys} LIMIT {limit}"
    ).format(live=live, rebuilt=rebuilt, keys=columns, differ=differ, limit=MAX_DIFFERENCES)
    found = conn.execute(query, parameters).fetchall()
    return (found[0][0] if found else 0), tuple(_difference(key, *row[1:]) for row in found)


def _difference(key: Sequence[str], live: str | None, rebuilt: str | None) -> Difference:
    left, right = (None if side is None else _ROW.decode(side) for side in (live, rebuilt))
    either = left or right or {}
    return Difference({column: either[column] for column in key}, left, right)
