"""Figures from the star schema in PostgreSQL: one query for each fact, composed from the definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import groupby
from typing import Any, cast

import psycopg
from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from adapters.postgres.read_model.log import read_checkpoint
from application.ports.analytics import (
    EVERYTHING,
    AnalyticsUnavailableError,
    Evidence,
    Figure,
    Filter,
    Measured,
    Member,
    Selection,
)
from application.queries.definitions import FACTS, Dimension, Fact, Held, Kpi, Listing, Source

_NOTHING = Source("NULL::text", "NULL::text")
_FEW = 100
"""Keys that are each looked for by themselves."""


class PostgresAnalytics:
    """Reads one schema of facts and dimensions; several statements see one moment."""

    def __init__(self, pool: ConnectionPool, schema: str = "gold") -> None:
        self._pool = pool
        self._schema = schema

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        """Return the figures, one row for each member in order of keys, or just one row."""
        rows: dict[Member, dict[str, Figure]] = {} if by else {Member(None, None): {}}
        with self._snapshot() as connection:
            for fact, group in groupby(sorted(kpis, key=_fact_order), key=lambda kpi: kpi.fact):
                of_fact = list(group)
                statement, values = _measure(fact, of_fact, by, where, _keys(connection, fact, where))
                for key, label, *figures in _run(connection, statement, values):
                    named = zip(of_fact, figures, strict=True)
                    measured = {kpi.name: _trimmed(figure) for kpi, figure in named}
                    rows.setdefault(Member(key, label), {}).update(measured)
        ordered = sorted(rows.items(), key=lambda row: (row[0].key is None, row[0].key or ""))
        return [Measured(member, {kpi.name: figures.get(kpi.name) for kpi in kpis}) for member, figures in ordered]

    def members(self, dimension: Dimension) -> list[Member]:
        """Return the members that occur in facts, in order of their labels."""
        selects = [
            f"SELECT DISTINCT {source.key} AS key, {source.label} AS label FROM {name} f {' '.join(source.joins)}"
            for name, source in dimension.sources.items()
            if source.through is None
        ]
        with self._snapshot() as connection:
            rows = _run(connection, " UNION ".join(selects) + " ORDER BY label, key", {})
            return [Member(*row) for row in rows]

    def evidence(self, kpi: Kpi, where: Selection = EVERYTHING, limit: int = 100) -> list[Evidence]:
        """Return up to `limit` rows that a figure counts, those that changed last first."""
        values: dict[str, Any] = {"limit": limit}
        statement = (
            f"SELECT f.* FROM {kpi.fact.name} f {_joins(kpi.fact, None, where)} "
            f"WHERE ({kpi.counted}) AND {_conditions(kpi.fact, None, where, values)} "
            "ORDER BY f.last_position DESC, f.first_position DESC LIMIT %(limit)s"
        )
        return self._rows(statement, values)

    def row(self, fact: Fact, key: Sequence[str]) -> Evidence | None:
        """Return the row of a fact with these values of its key."""
        # The key's values come as text, from the name of a row; what is no number is the key of no row.
        where = " AND ".join(f"f.{column}::text = %({column})s" for column in fact.key[1:])
        statement = f"SELECT f.* FROM {fact.name} f WHERE f.{fact.key[0]} = %({fact.key[0]})s"
        found = self._rows(f"{statement} AND {where}" if where else statement, dict(zip(fact.key, key, strict=True)))
        return found[0] if found else None

    def rows(self, listing: Listing, where: Selection = EVERYTHING, limit: int = 200) -> list[dict[str, Any]]:
        """Return up to `limit` rows by column, in the listing's order."""
        values: dict[str, Any] = {"limit": limit}
        columns = ", ".join(f'{expression} AS "{name}"' for name, expression in listing.columns)
        joins = " ".join((*listing.joins, _joins(listing.fact, None, where)))
        statement = (
            f"SELECT {columns} FROM {listing.fact.name} f {joins} "
            f"WHERE ({listing.condition}) AND {_conditions(listing.fact, None, where, values)} "
            f"ORDER BY {listing.order} LIMIT %(limit)s"
        )
        with self._snapshot() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, values, prepare=False).fetchall()

    def _rows(self, statement: str, values: dict[str, Any]) -> list[Evidence]:
        with self._snapshot() as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(statement, values, prepare=False).fetchall()
        return [
            Evidence(row.pop("stream_id"), row.pop("first_position"), row.pop("last_position"), row) for row in rows
        ]

    def position(self) -> int:
        """Return the position in the log up to which the figures are true."""
        with self._snapshot() as connection:
            return read_checkpoint(connection)

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(self._schema)))
                # By default a row that changes process costs as much as ten that are read: percentiles read alone.
                connection.execute("SET LOCAL parallel_tuple_cost = 0.01")
                # Before the first snapshot: a rebuild that is being put in place is waited for, then seen.
                connection.execute(f"LOCK TABLE {FACTS[0].name} IN ACCESS SHARE MODE")
                yield connection
        except psycopg.errors.UndefinedTable as error:
            raise AnalyticsUnavailableError("there are no read models yet: run `dataflow project`") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise AnalyticsUnavailableError(f"the database does not answer: {str(error).strip()}") from error


def _measure(
    fact: Fact, kpis: Sequence[Kpi], by: Dimension | None, where: Selection, keys: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    values = dict(keys)
    source = _broken_down(fact, by) if by else _NOTHING
    columns = ", ".join([source.key, source.label, *(kpi.expression for kpi in kpis)])
    statement = (
        f"SELECT {columns} FROM {fact.name} f {_joins(fact, by, where)} WHERE {_conditions(fact, by, where, values)}"
    )
    return f"{statement} GROUP BY {_group(source)}" if by else statement, values


def _keys(connection: Connection, fact: Fact, where: Selection) -> dict[str, list[int]]:
    """Look up the keys of members that a fact holds, by parameter: a plan is made for those that are known."""
    found = {}
    for each in where.filters:
        source = each.dimension.sources[fact.name]
        if source.through is not None and source.through.held is not None and source.through.held.keys:
            values: dict[str, Any] = {}
            condition = _matches(source.key, each, values)
            rows = _run(connection, f"SELECT {source.through.held.keys} WHERE {condition}", values)
            found[_keys_of(each.dimension)] = [key for (key,) in rows]
    return found


def _keys_of(dimension: Dimension) -> str:
    return f"keys_of_{dimension.name}"


def _group(source: Source) -> str:
    """Return what rows are grouped by: a key that is its own label once, and before it is made a text."""
    return source.key.removesuffix("::text") if source.key == source.label else "1, 2"


def _broken_down(fact: Fact, by: Dimension) -> Source:
    """Return where a breakdown finds its members: through another fact, each member of a row once."""
    source = by.sources[fact.name]
    if source.through is None:
        return source
    through, alias = source.through, f"{by.name}_of"
    members = (
        f"JOIN (SELECT DISTINCT {through.column} AS of, {source.key} AS key, {source.label} AS label "
        f"FROM {through.fact.name} f {' '.join(source.joins)}) {alias} ON {alias}.of = {through.link}"
    )
    return Source(f"{alias}.key", f"{alias}.label", (members,))


def _joins(fact: Fact, by: Dimension | None, where: Selection) -> str:
    """Return the joins that the breakdown and the filters need; a filter through another fact needs none."""
    joins = list(_broken_down(fact, by).joins) if by else []
    for each in where.filters:
        source = each.dimension.sources[fact.name]
        joins += source.joins if source.through is None else ()
    return " ".join(dict.fromkeys(joins))


def _conditions(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> str:
    conditions = _selected(fact, by, where, values)
    if fact.snapshot:
        in_time = Selection(tuple(each for each in where.filters if each.dimension.time), where.period)
        period = by if by and by.time else None
        last_day = (
            f"SELECT max(f.{fact.date_key}) FROM {fact.name} f {_joins(fact, period, in_time)} "
            f"WHERE {' AND '.join(_selected(fact, period, in_time, values))}"
        )
        if period:
            last_day += f" GROUP BY {period.sources[fact.name].key}"
        conditions.append(f"f.{fact.date_key} IN ({last_day})")
    return " AND ".join(conditions)


def _selected(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> list[str]:
    conditions = [fact.rows, *(_is_member(fact, by, each, values) for each in where.filters)]
    if where.period is not None:
        values["first_day"] = int(where.period.first.strftime("%Y%m%d"))
        values["last_day"] = int(where.period.last.strftime("%Y%m%d"))
        conditions.append(f"f.{fact.date_key} BETWEEN %(first_day)s AND %(last_day)s")
    return conditions


def _is_member(fact: Fact, by: Dimension | None, chosen: Filter, values: dict[str, Any]) -> str:
    source = chosen.dimension.sources[fact.name]
    key = _broken_down(fact, by).key if by == chosen.dimension else source.key
    condition = _matches(key, chosen, values)
    if source.through is None or by == chosen.dimension:
        return condition
    through, held = source.through, source.through.held
    if held is not None and held.keys:
        return _holds(held, condition, _keys_of(chosen.dimension), values)
    if held is not None and None not in chosen.members:
        return f"{held.column} && %({_members_of(chosen.dimension)})s::text[]"
    return (
        f"{through.link} IN (SELECT {through.column} FROM {through.fact.name} f {' '.join(source.joins)} "
        f"WHERE {condition})"
    )


def _matches(key: str, chosen: Filter, values: dict[str, Any]) -> str:
    name = _members_of(chosen.dimension)
    values[name] = [member for member in chosen.members if member is not None]
    condition = f"{key} = ANY(%({name})s::text[])"
    return f"({condition} OR {key} IS NULL)" if None in chosen.members else condition


def _members_of(dimension: Dimension) -> str:
    return f"members_of_{dimension.name}"


def _holds(held: Held, condition: str, name: str, values: Mapping[str, Any]) -> str:
    """Return that a row holds a key: of a few known ones each by itself, since an index is slow to find any of many."""
    if name not in values:
        return f"{held.column} && ARRAY(SELECT {held.keys} WHERE {condition})"
    known = len(values[name])
    if not 0 < known <= _FEW:
        return f"{held.column} && %({name})s::bigint[]"
    alternatives = (f"{held.column} && (%({name})s::bigint[])[{n}:{n}]" for n in range(1, known + 1))
    return f"({' OR '.join(alternatives)})"


def _run(connection: Connection, statement: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield from connection.execute(statement, values, prepare=False)


def _fact_order(kpi: Kpi) -> tuple[str, bool, str]:
    return kpi.fact.name, kpi.fact.snapshot, kpi.fact.rows


def _trimmed(figure: Any) -> Figure:
    """Drop a decimal's trailing zeros, which say only how it was computed."""
    if isinstance(figure, Decimal):
        text = f"{figure:f}"
        return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return cast(Figure, figure)
