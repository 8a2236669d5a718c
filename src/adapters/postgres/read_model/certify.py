"""Certify: compare two builds table by table, name the rows that differ, and keep what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec
from psycopg import Connection, sql

from adapters.postgres.certificates import keep
from adapters.postgres.read_model.events_behind import with_events
from adapters.postgres.read_model.row_hash import hashed_columns, summed_hashes
from adapters.postgres.read_model.schemas import Schemas, table_names, view_definitions
from adapters.postgres.read_model.threads import ended_if_interrupted
from application.codec import known_topics
from application.replay.certificate import MAX_DIFFERENCES, Certificate, Difference, Purpose, TableCertificate
from application.replay.code_version import code_version

Keys = Mapping[str, Sequence[str]]
SOURCES = ("domain", "application", "adapters.postgres")
JSON_ROW = msgspec.json.Decoder(float_hook=Decimal)
"""Reads a row that PostgreSQL gives as JSON, with all digits."""


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
    beside: Connection | None = None,
) -> Certificate:
    """Compare every table that either build has, and each view of gold that changed; keep the certificate.

    It is kept with the caller's transaction. `keys` gives the key columns of the tables to be; `started_at` is when
    the build began, by default now. Where there is a connection `beside`, of the same snapshot, it reads one side
    while `conn` reads the other.
    """
    started_at = started_at or datetime.now(UTC)
    tables: list[TableCertificate] = []
    other = beside or conn
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(_summaries, other, rebuilt)
        with ended_if_interrupted([reading], [other]):
            ours, theirs = _summaries(conn, live), reading.result()
    for live_schema, rebuilt_schema, left, right in zip(live, rebuilt, ours, theirs, strict=True):
        for name in sorted({*left, *right}):
            sides = ((live_schema, name), (rebuilt_schema, name))
            tables.append(_compare(conn, sides, left.get(name, _ABSENT), right.get(name, _ABSENT), keys.get(name, ())))
    tables += _changed_views(conn, live, rebuilt, keys)
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


def _changed_views(conn: Connection, live: Schemas, rebuilt: Schemas, keys: Keys) -> list[TableCertificate]:
    """Compare the views of gold that are not defined alike; those that are give the same of equal tables."""
    ours, theirs = view_definitions(conn, live), view_definitions(conn, rebuilt)
    changed = []
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            sides = ((live.gold, name), (rebuilt.gold, name))
            left, right = (
                _summary(conn, side) if name in views else _ABSENT
                for side, views in zip(sides, (ours, theirs), strict=True)
            )
            changed.append(_compare(conn, sides, left, right, keys.get(name, ())))
    return changed


def _summaries(conn: Connection, schemas: Schemas) -> list[dict[str, Summary]]:
    # Both sides are read at once, each by a process: more of them would only wait for each other.
    conn.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    return [summarise(conn, schema) for schema in schemas]


def summarise(conn: Connection, schema: str) -> dict[str, Summary]:
    """Return what each table of a schema is compared by; it reads every row."""
    return {name: _summary(conn, (schema, name)) for name in table_names(conn, schema)}


def _summary(conn: Connection, table: tuple[str, str]) -> Summary:
    columns = hashed_columns(conn, table)
    rows, total = next(conn.execute(summed_hashes(columns, table)))
    return Summary(tuple((column.name, column.kind) for column in columns), rows, total)


def _compare(
    conn: Connection,
    sides: tuple[tuple[str, str], tuple[str, str]],
    left: Summary,
    right: Summary,
    key: Sequence[str],
) -> TableCertificate:
    shared = [column for column in left.columns if column in right.columns]
    differing, differences = 0, tuple[Difference, ...]()
    if left != right and key and {*key} <= {name for name, _ in shared}:
        differing, differences = find_differences(conn, sides, key, [name for name, _ in shared])
    return TableCertificate(
        table=".".join(sides[0]),
        rows_live=left.rows,
        rows_rebuilt=right.rows,
        digest_live=left.digest,
        digest_rebuilt=right.digest,
        equal=left == right,
        columns=tuple(
            f"{sign}{name} {kind}"
            for sign, own, other in (("-", left, right), ("+", right, left))
            for name, kind in own.columns
            if (name, kind) not in other.columns
        ),
        differing=differing,
        differences=differences,
    )


def find_differences(
    conn: Connection, sides: Sequence[tuple[str, str]], key: Sequence[str], columns: Sequence[str]
) -> tuple[int, tuple[Difference, ...]]:
    """Count the keys whose rows differ between two tables in these columns, and return the first of them whole."""
    live, rebuilt = (sql.Identifier(*side) for side in sides)
    left, right = (sql.SQL(", ").join(sql.Identifier(side, name) for name in columns) for side in ("l", "r"))
    query = sql.SQL(
        "WITH named AS (SELECT count(*) OVER () AS differing, {keys} FROM {live} AS l FULL JOIN {rebuilt} AS r"
        " USING ({keys}) WHERE ROW({left}) IS DISTINCT FROM ROW({right}) ORDER BY {keys} LIMIT {limit})"
        " SELECT differing, to_jsonb(l)::text, to_jsonb(r)::text"
        " FROM named LEFT JOIN {live} AS l USING ({keys}) LEFT JOIN {rebuilt} AS r USING ({keys}) ORDER BY {keys}"
    ).format(
        live=live,
        rebuilt=rebuilt,
        keys=sql.SQL(", ").join(map(sql.Identifier, key)),
        left=left,
        right=right,
        limit=MAX_DIFFERENCES,
    )
    found = conn.execute(query).fetchall()
    return (found[0][0] if found else 0), tuple(read_difference(key, *row[1:]) for row in found)


def read_difference(key: Sequence[str], live: str | None, rebuilt: str | None) -> Difference:
    """Return a difference from two rows as JSON."""
    left, right = (None if side is None else JSON_ROW.decode(side) for side in (live, rebuilt))
    either = left or right or {}
    return Difference({column: either[column] for column in key}, left, right)
