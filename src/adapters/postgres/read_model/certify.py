"""Certify: compare two builds table by table, and name the rows that differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from psycopg import Connection, sql

from adapters.postgres.read_model.schemas import Schemas, table_names
from application.replay.certificate import MAX_DIFFERENCES, Certificate, Difference, TableCertificate

Keys = Mapping[str, Sequence[str]]


class _Summary(NamedTuple):
    columns: tuple[str, ...]
    rows: int | None
    digest: str | None


_ABSENT = _Summary((), None, None)


def certify(conn: Connection, live: Schemas, rebuilt: Schemas, keys: Keys, position: int) -> Certificate:
    """Compare every table that either build has; `keys` gives the key columns of the tables to be."""
    tables = []
    for live_schema, rebuilt_schema in zip(live, rebuilt, strict=True):
        names = {*table_names(conn, live_schema), *table_names(conn, rebuilt_schema)}
        for name in sorted(names):
            certificate = _compare(conn, (live_schema, name), (rebuilt_schema, name), keys.get(name, ()))
            tables.append(certificate)
    return Certificate(position, tuple(tables))


def _compare(conn: Connection, live: tuple[str, str], rebuilt: tuple[str, str], key: Sequence[str]) -> TableCertificate:
    left, right = _summarise(conn, live), _summarise(conn, rebuilt)
    equal = left == right
    comparable = bool(key) and {*key} <= {*left.columns} and {*key} <= {*right.columns}
    differences = () if equal or not comparable else _differences(conn, live, rebuilt, key)
    return TableCertificate(".".join(live), left.rows, right.rows, left.digest, right.digest, equal, differences)


def _summarise(conn: Connection, table: tuple[str, str]) -> _Summary:
    query = "SELECT column_name FROM information_schema.columns WHERE (table_schema, table_name) = (%s, %s)"
    columns = tuple(name for (name,) in conn.execute(f"{query} ORDER BY ordinal_position", table))
    if not columns:
        return _ABSENT
    digest = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} AS t"
    ).format(sql.Identifier(*table))
    rows, total = next(conn.execute(digest))
    return _Summary(columns, rows, total)


def _differences(
    conn: Connection, live: tuple[str, str], rebuilt: tuple[str, str], key: Iterable[str]
) -> tuple[Difference, ...]:
    columns = [sql.Identifier(column) for column in key]
    query = sql.SQL(
        "SELECT to_jsonb(l), to_jsonb(r) FROM {} AS l FULL JOIN {} AS r USING ({keys})"
        " WHERE to_jsonb(l)::text IS DISTINCT FROM to_jsonb(r)::text ORDER BY {keys} LIMIT {limit}"
    ).format(
        sql.Identifier(*live),
        sql.Identifier(*rebuilt),
        keys=sql.SQL(", ").join(columns),
        limit=MAX_DIFFERENCES,
    )
    return tuple(
        Difference({column: (left or right)[column] for column in key}, left, right)
        for left, right in conn.execute(query)
    )
