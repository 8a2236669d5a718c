"""SQL over one fact, composed from the definitions: figures, and which rows a selection is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from application.ports.analytics import Filter, Selection
from application.queries.definitions import Dimension, Fact, Held, Kpi, Source

_NOTHING = Source("NULL::text", "NULL::text")
_FEW = 100
"""Keys that are each looked for by themselves."""


def measure(
    fact: Fact, kpis: Sequence[Kpi], by: Dimension | None, where: Selection, keys: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the statement for figures with its values: key and label of a member, then the KPIs.

    `keys` are those of `find_keys` for the same selection.
    """
    values = dict(keys)
    source = _broken_down(fact, by) if by else _NOTHING
    columns = ", ".join([source.key, source.label, *(kpi.expression for kpi in kpis)])
    statement = (
        f"SELECT {columns} FROM {fact.name} f {joins(fact, by, where)} WHERE {conditions(fact, by, where, values)}"
    )
    return f"{statement} GROUP BY {_group(source)}" if by else statement, values


def find_keys(connection: Connection, fact: Fact, where: Selection) -> dict[str, list[int]]:
    """Look up the keys of members that a fact holds, by parameter: a plan is made for those that are known."""
    found = {}
    for each in where.filters:
        source = each.dimension.sources[fact.name]
        if source.held is not None and source.held.keys:
            values: dict[str, Any] = {}
            condition = _matches(source.key, each, values)
            rows = connection.execute(_lookup(source.held, condition).encode(), values, prepare=False)
            found[_keys_of(each.dimension)] = [key for row in rows for key in row]
    return found


def joins(fact: Fact, by: Dimension | None, where: Selection) -> str:
    """Return the joins that the breakdown and the filters need; a filter on what the fact holds needs none."""
    needed = [*_broken_down(fact, by).joins, *_broken_down(fact, by).naming] if by else []
    for each in where.filters:
        source = each.dimension.sources[fact.name]
        needed += source.joins if source.through is None and source.held is None else ()
    return " ".join(dict.fromkeys(needed))


def conditions(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> str:
    """Return the condition that rows meet, and add its parameters to the `values`, which hold the keys."""
    selected = _selected(fact, by, where, values)
    if fact.snapshot:
        in_time = Selection(tuple(each for each in where.filters if each.dimension.time), where.period)
        period = by if by and by.time else None
        last_day = (
            f"SELECT max(f.{fact.date_key}) FROM {fact.name} f {joins(fact, period, in_time)} "
            f"WHERE {' AND '.join(_selected(fact, period, in_time, values))}"
        )
        if period:
            last_day += f" GROUP BY {period.sources[fact.name].key}"
        selected.append(f"f.{fact.date_key} IN ({last_day})")
    return " AND ".join(selected)


def _keys_of(dimension: Dimension) -> str:
    return f"keys_of_{dimension.name}"


def _lookup(held: Held, condition: str) -> str:
    """Return the query for the keys of members; where those are days, for the first and the last of each run."""
    keys = f"SELECT {held.keys} WHERE {condition}"
    if not held.days:
        return keys
    run = "to_date(day::text, 'YYYYMMDD') - row_number() OVER (ORDER BY day)::integer"
    return (
        f"SELECT min(day), max(day) FROM (SELECT day, {run} AS run FROM ({keys}) AS of (day)) GROUP BY run ORDER BY 1"
    )


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
        f"FROM {through.table} f {' '.join(source.joins + source.naming)}) {alias} ON {alias}.of = {through.link}"
    )
    return Source(f"{alias}.key", f"{alias}.label", (members,))


def _selected(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> list[str]:
    selected = [fact.rows, *(_is_member(fact, by, each, values) for each in where.filters)]
    if where.period is not None:
        values["first_day"] = int(where.period.first.strftime("%Y%m%d"))
        values["last_day"] = int(where.period.last.strftime("%Y%m%d"))
        selected.append(f"f.{fact.date_key} BETWEEN %(first_day)s AND %(last_day)s")
    return selected


def _is_member(fact: Fact, by: Dimension | None, chosen: Filter, values: dict[str, Any]) -> str:
    source = chosen.dimension.sources[fact.name]
    through, held = source.through, source.held
    if through is not None and by == chosen.dimension:
        return _matches(_broken_down(fact, by).key, chosen, values)
    if held is not None and held.keys:
        name = _keys_of(chosen.dimension)
        return _holds(held, f"%({name})s::bigint[]", len(values[name]))
    condition = _matches(source.key, chosen, values)
    if through is None:
        return condition
    if held is not None and None not in chosen.members:
        return f"{held.column} && %({_members_of(chosen.dimension)})s::text[]"
    return (
        f"{through.link} IN (SELECT {through.column} FROM {through.table} f {' '.join(source.joins)} WHERE {condition})"
    )


def _matches(key: str, chosen: Filter, values: dict[str, Any]) -> str:
    name = _members_of(chosen.dimension)
    values[name] = [member for member in chosen.members if member is not None]
    condition = f"{key} = ANY(%({name})s::text[])"
    return f"({condition} OR {key} IS NULL)" if None in chosen.members else condition


def _members_of(dimension: Dimension) -> str:
    return f"members_of_{dimension.name}"


def _holds(held: Held, keys: str, known: int) -> str:
    """Return that a row holds one of the keys, a day within one of the runs.

    In an array, a few are each looked for by themselves, since an index is slow to find any of many.
    """
    if held.days:
        runs = (f"{held.column} BETWEEN ({keys})[{n}] AND ({keys})[{n + 1}]" for n in range(1, known, 2))
        return f"({' OR '.join(runs) or 'false'})"
    if not held.many:
        return f"{held.column} = ANY({keys})"
    if not 0 < known <= _FEW:
        return f"{held.column} && {keys}"
    return f"({' OR '.join(f'{held.column} && ({keys})[{n}:{n}]' for n in range(1, known + 1))})"
