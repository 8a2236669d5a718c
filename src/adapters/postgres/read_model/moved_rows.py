"""The rows of a fact that moved a KPI from one build to another, and the events between the two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from adapters.postgres.read_model.certify import read_difference
from adapters.postgres.read_model.events_behind import events_between, with_own_events
from application.ports.builds import MovedRows
from application.queries.definitions import Kpi
from application.replay.certificate import MAX_EVENTS, Difference

_COLUMN = re.compile(r"\bf\.([a-z_0-9]+)")
_COLUMNS = "SELECT column_name::text FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
_MEMBERS = {
    "product_id": "product-",
    "supplier_id": "supplier-",
    "customer_id": "customer-",
    "carrier_id": "carrier-",
    "location_id": "location-",
}
"""How the stream begins that a row's member of the catalog has, by the column that names the member."""
_DIVIDES = "nullif("
"""What stands in a definition whose denominator may add up other rows than its numerator."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two builds: the schema of its gold, and the position up to which it is true."""

    gold: str
    position: int


def find_moved(conn: Connection, sides: tuple[Side, Side], kpi: Kpi, key: Sequence[str], limit: int) -> MovedRows:
    """Return what moved a KPI between two builds, within the caller's transaction.

    A row moved it that stands in one build alone, or has other values in columns that the KPI reads. Of a ratio or
    another quotient, all rows may count; of other KPIs, those that its definition says. Of a snapshot, only the last
    day does.
    """
    key = [column for column in key if not (kpi.fact.snapshot and column == kpi.fact.date_key)]
    relations = {name: _relation(side, kpi) for name, side in zip(("one", "other"), sides, strict=True)}
    keys = sql.SQL(", ").join(map(sql.Identifier, key))
    conn.execute("DROP TABLE IF EXISTS pg_temp.moved")
    conn.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE moved ON COMMIT DROP AS"
            " SELECT {keys}, coalesce(l.stream_id, r.stream_id) AS of_stream,"
            # What is new is explained by its own events.
            " CASE WHEN l.stream_id IS NOT NULL THEN {members} END AS members"
            " FROM {one} AS l FULL JOIN {other} AS r USING ({keys})"
            " WHERE l.stream_id IS NULL OR r.stream_id IS NULL OR {changed}"
        ).format(keys=keys, changed=_changed(kpi), members=_members(conn, sides[1], kpi), **relations)
    )
    named = sql.SQL(
        "SELECT to_jsonb(l)::text, to_jsonb(r)::text, of_stream, members"
        " FROM (SELECT * FROM moved ORDER BY {keys} LIMIT {limit}) AS m"
        " LEFT JOIN {one} AS l USING ({keys}) LEFT JOIN {other} AS r USING ({keys}) ORDER BY {keys}"
    ).format(keys=keys, limit=limit, **relations)
    after, upto = sorted(side.position for side in sides)
    return MovedRows(
        next(conn.execute("SELECT count(*) FROM moved"))[0],
        _topics(conn, after, upto),
        tuple(
            _with_events(conn, read_difference(key, *rows), [stream, *(members or ())], after, upto)
            for *rows, stream, members in conn.execute(named).fetchall()
        ),
    )


def _relation(side: Side, kpi: Kpi) -> sql.Composed:
    fact = sql.Identifier(side.gold, kpi.fact.name)
    counted = "true" if kpi.unit == "ratio" or _DIVIDES in kpi.expression else kpi.counted
    conditions: list[sql.Composable] = [_trusted(f"({kpi.fact.rows}) AND ({counted})")]
    if kpi.fact.snapshot:
        last = sql.SQL("f.{day} = (SELECT max({day}) FROM {fact})")
        conditions.append(last.format(day=sql.Identifier(kpi.fact.date_key), fact=fact))
    return sql.SQL("(SELECT f.* FROM {} AS f WHERE {})").format(fact, sql.SQL(" AND ").join(conditions))


def _changed(kpi: Kpi) -> sql.Composable:
    read = sorted(set(_COLUMN.findall(f"{kpi.expression} {kpi.counted}")))
    if not read:
        return sql.SQL("false")
    rows = [sql.SQL(", ").join(sql.Identifier(side, name) for name in read) for side in ("l", "r")]
    return sql.SQL("ROW({}) IS DISTINCT FROM ROW({})").format(*rows)


def _members(conn: Connection, side: Side, kpi: Kpi) -> sql.Composable:
    """Return an expression for the streams of the catalog that a row of the second build takes columns from.

    A row with `product_keys` takes them from the products of its lines.
    """
    table = [side.gold, kpi.fact.name]
    columns = {name for (name,) in conn.execute(_COLUMNS, table)}
    streams = [
        sql.SQL("{} || r.{}").format(prefix, sql.Identifier(column))
        for column, prefix in _MEMBERS.items()
        if column in columns
    ]
    members = sql.SQL("ARRAY[{}]::text[]").format(sql.SQL(", ").join(streams))
    if "product_keys" in columns:
        members += sql.SQL(
            " || ARRAY(SELECT DISTINCT {} || product_id FROM {} WHERE product_key = ANY(r.product_keys))"
        ).format(_MEMBERS["product_id"], sql.Identifier(side.gold, "dim_product"))
    return members


def _trusted(text: str) -> sql.SQL:
    """Take a KPI's definition, which is the project's own, as SQL; nothing in it is a parameter."""
    return sql.SQL(text)


def _topics(conn: Connection, after: int, upto: int) -> tuple[tuple[str, int], ...]:
    query = (
        "SELECT topic, count(*) FROM events.stored_events WHERE notification_id > %s AND notification_id <= %s"
        " AND originator_id IN (SELECT of_stream FROM moved UNION SELECT unnest(members) FROM moved)"
        " GROUP BY topic ORDER BY 2 DESC, 1"
    )
    return tuple((topic, number) for topic, number in conn.execute(query, [after, upto]))


def _with_events(
    conn: Connection, difference: Difference, streams: Sequence[str | None], after: int, upto: int
) -> Difference:
    """Add the events of the streams between the builds; where both stand at one position, those behind the row.

    A row that stands in both may have changed by events of its product, customer or another member of the catalog.
    """
    if after == upto:
        return with_own_events(conn, difference, upto)
    found = [event for stream in streams if stream for event in events_between(conn, stream, after + 1, upto)]
    events = tuple(sorted(found, key=lambda event: event.position)[-MAX_EVENTS:])
    return Difference(difference.key, difference.live, difference.rebuilt, events)
