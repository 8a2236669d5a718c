"""SQL over one fact, composed from the definitions: figures, and which rows a selection is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from application.ports.analytics import Filter, Selection
from application.queries.definitions import Dimension, Fact, Held, Kpi, Source, Through

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
    source = _broken_down(fact, by, where, values) if by else _NOTHING
    columns = ", ".join([source.key, source.label, *(kpi.expression for kpi in kpis)])
    rows = f"{fact.name} f {joins(fact, by, where, values)} WHERE {conditions(fact, by, where, values)}"
    statement = f"SELECT {columns} FROM {rows}"
    return f"{statement} GROUP BY {_group(source)}" if by else statement, values


def find_keys(connection: Connection, fact: Fact, where: Selection) -> dict[str, list[int] | None]:
    """Look up the keys of members that a fact holds, by parameter: a plan is made for those that are known.

    None where every row of the fact holds one of them, as where all products have one currency: a condition on the key
    would only keep the server from the index that has everything else.
    """
    found: dict[str, list[int] | None] = {}
    for group in _groups(fact, where.filters):
        held = group[0].dimension.sources[fact.name].held
        if held is not None and held.keys:
            values: dict[str, Any] = {}
            condition = " AND ".join(_matches(fact, each, values) for each in group)
            rows = connection.execute(_lookup(held, condition).encode(), values, prepare=False)
            found[_keys_of(group)] = [key for row in rows for key in row]
            if held.indexed and _holds_no_other(connection, fact, held, condition, values):
                found[_keys_of(group)] = None
    return found


def _holds_no_other(connection: Connection, fact: Fact, held: Held, condition: str, values: Mapping[str, Any]) -> bool:
    """Tell whether no row holds a key of members that don't meet the condition; not where these are many."""
    others = connection.execute(
        f"SELECT {held.keys} WHERE ({condition}) IS NOT TRUE LIMIT {_FEW + 1}".encode(), values, prepare=False
    ).fetchall()
    if len(others) > _FEW:
        return False
    # One by one, each by the index: of many keys at once the server expects rows everywhere, and reads all of them.
    statement = (
        "SELECT EXISTS (SELECT FROM unnest(%(others)s::bigint[]) AS other, "
        f"LATERAL (SELECT FROM {fact.name} f WHERE {held.column} = other LIMIT 1) AS row)"
    )
    (found,) = next(connection.execute(statement.encode(), {"others": [key for (key,) in others]}, prepare=False))
    return not found


def joins(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> str:
    """Return the joins that the breakdown and the filters need; a filter on what the fact holds needs none.

    Parameters that they have are added to the `values`, which hold the keys.
    """
    source = _broken_down(fact, by, where, values) if by else _NOTHING
    known = [each for each in where.filters if each.dimension.sources[fact.name].through is None]
    return " ".join(dict.fromkeys([*source.joins, *source.naming, *_joins_of(fact, known)]))


def conditions(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> str:
    """Return the condition that rows meet, and add its parameters to the `values`, which hold the keys."""
    selected = _selected(fact, by, where, values)
    if fact.snapshot:
        in_time = Selection(tuple(each for each in where.filters if each.dimension.time), where.period)
        period = by if by and by.time else None
        last_day = (
            f"SELECT max(f.{fact.date_key}) FROM {fact.name} f {joins(fact, period, in_time, values)} "
            f"WHERE {' AND '.join(_selected(fact, period, in_time, values))}"
        )
        if period:
            last_day += f" GROUP BY {period.sources[fact.name].key}"
        selected.append(f"f.{fact.date_key} IN ({last_day})")
    return " AND ".join(selected)


def _groups(fact: Fact, filters: Sequence[Filter]) -> list[tuple[Filter, ...]]:
    """Return the filters, those together that ask for keys of one column: one key must be of all their members."""
    groups: dict[Held | Filter, list[Filter]] = {}
    for each in filters:
        held = each.dimension.sources[fact.name].held
        groups.setdefault(held if held is not None and held.keys else each, []).append(each)
    return [tuple(group) for group in groups.values()]


def _keys_of(group: Sequence[Filter]) -> str:
    return "_".join(["keys_of", *(each.dimension.name for each in group)])


def _joins_of(fact: Fact, filters: Sequence[Filter]) -> list[str]:
    sources = [each.dimension.sources[fact.name] for each in filters]
    return list(dict.fromkeys(join for source in sources if source.held is None for join in source.joins))


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


def _broken_down(fact: Fact, by: Dimension, where: Selection, values: dict[str, Any]) -> Source:
    """Return where a breakdown finds its members: through another fact, each member of a row once.

    Filters that go through the same rows of the other fact are met by the very rows that have the members.
    """
    source = by.sources[fact.name]
    if source.through is None:
        return source
    through, alias = source.through, f"{by.name}_of"
    filters = _by_through(fact, where).get(through, [])
    kept = " AND ".join(["true", *_met(through.fact, filters, values)])
    needed = dict.fromkeys([*source.joins, *source.naming, *_joins_of(through.fact, filters)])
    join = "LEFT JOIN" if through.perhaps else "JOIN"
    members = (
        f"{join} (SELECT DISTINCT {through.column} AS of, {source.key} AS key, {source.label} AS label "
        f"FROM {through.table} f {' '.join(needed)} WHERE {kept}) {alias} ON {alias}.of = {through.link}"
    )
    return Source(f"{alias}.key", f"{alias}.label", (members,))


def _selected(fact: Fact, by: Dimension | None, where: Selection, values: dict[str, Any]) -> list[str]:
    ways = _by_through(fact, where)
    selected = [fact.rows, *_met(fact, ways.pop(None, []), values)]
    of_members = by.sources[fact.name].through if by is not None else None
    if of_members is not None and not of_members.perhaps:
        ways.pop(of_members, None)
    for through, filters in ways.items():
        if through is not None:
            selected.append(_reached(fact, through, filters, values))
    if where.period is not None:
        values["last_day"] = int(where.period.last.strftime("%Y%m%d"))
        by_time = (by is not None and by.time) or any(each.dimension.time for each in where.filters)
        if fact.snapshot and not by_time:
            # A level holds until it changes: where the snapshot ends before the period, that of its last day.
            selected.append(f"f.{fact.date_key} <= %(last_day)s")
        else:
            values["first_day"] = int(where.period.first.strftime("%Y%m%d"))
            selected.append(f"f.{fact.date_key} BETWEEN %(first_day)s AND %(last_day)s")
    return selected


def _by_through(fact: Fact, where: Selection) -> dict[Through | None, list[Filter]]:
    """Return the filters by the way in which the fact knows their dimension."""
    ways: dict[Through | None, list[Filter]] = {}
    for each in where.filters:
        ways.setdefault(each.dimension.sources[fact.name].through, []).append(each)
    return ways


def _met(fact: Fact, filters: Sequence[Filter], values: dict[str, Any]) -> list[str]:
    """Return the conditions that a row of the fact itself meets."""
    met = []
    for group in _groups(fact, filters):
        held = group[0].dimension.sources[fact.name].held
        if held is not None and held.keys:
            met.append(_holds(held, group, values))
        else:
            met += [_matches(fact, each, values) for each in group]
    return met


def _reached(fact: Fact, through: Through, filters: Sequence[Filter], values: dict[str, Any]) -> str:
    """Return the condition that one row of the other fact meets all the filters."""
    group, *others = _groups(fact, filters)
    held = group[0].dimension.sources[fact.name].held
    if held is not None and not others:
        if held.keys:
            return _holds(held, group, values)
        if None not in group[0].members:
            _matches(fact, group[0], values)
            return f"{held.column} && %({_members_of(group[0].dimension)})s::text[]"
    rows = f"SELECT {through.column} AS of FROM {through.table} f {' '.join(_joins_of(through.fact, filters))}"
    met = " AND ".join(_met(through.fact, filters, values))
    if through.perhaps and all(None in each.members for each in filters):
        # Also of the unknown member is a row without one there: only one that is there and fails stands against it.
        return f"NOT EXISTS (SELECT FROM ({rows} WHERE ({met}) IS NOT TRUE) failing WHERE failing.of = {through.link})"
    return f"{through.link} IN ({rows} WHERE {met})"


def _matches(fact: Fact, chosen: Filter, values: dict[str, Any]) -> str:
    name, key = _members_of(chosen.dimension), chosen.dimension.sources[fact.name].key
    values[name] = [member for member in chosen.members if member is not None]
    condition = f"{key} = ANY(%({name})s::text[])"
    return f"({condition} OR {key} IS NULL)" if None in chosen.members else condition


def _members_of(dimension: Dimension) -> str:
    return f"members_of_{dimension.name}"


def _holds(held: Held, group: Sequence[Filter], values: Mapping[str, Any]) -> str:
    """Return that a row holds one of the keys, a day within one of the runs.

    In an array, a few are each looked for by themselves, since an index is slow to find any of many.
    """
    name = _keys_of(group)
    if values[name] is None:
        return "true"
    keys, known = f"%({name})s::bigint[]", len(values[name])
    if held.days:
        runs = (f"{held.column} BETWEEN ({keys})[{n}] AND ({keys})[{n + 1}]" for n in range(1, known, 2))
        return f"({' OR '.join(runs) or 'false'})"
    if not held.many:
        return f"{held.column} = ANY({keys})"
    if not 0 < known <= _FEW:
        return f"{held.column} && {keys}"
    return f"({' OR '.join(f'{held.column} && ({keys})[{n}:{n}]' for n in range(1, known + 1))})"
