"""How gold follows silver: scopes that a batch touches are selected again, and what comes out otherwise is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psycopg import Connection, Cursor, sql
from psycopg.errors import UniqueViolation

from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.gold_tables import broken, identifiers, table_of, view_of
from adapters.postgres.read_model.refused_rows import naming_a_row
from adapters.postgres.read_model.schemas import Schemas

StreamIds = Mapping[str, Sequence[str]]
_NEAR = 3
"""Bits of a distance up to which scopes are selected again together: for so few rows, no statement of its own."""


@dataclass(slots=True)
class Touched:
    """What a batch touches: scope values by table, and how far the tables reach that grow.

    `ends` holds the scopes of which only the rows from a value on can have changed, and that value.
    """

    scopes: dict[str, set[str]] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    reach: dict[str, Any] = field(default_factory=dict)


def find_touched(
    conn: Connection, definitions: Iterable[GoldDefinition], stream_ids: StreamIds, first: int = 0
) -> Touched:
    """Ask silver, as it is now, which scopes the streams touch.

    `stream_ids` are given by subject; `first` is the position of the batch's first event, 0 to look at all events
    of the streams, and so at whole scopes.
    """
    touched = Touched()
    for gold in definitions:
        for subject in gold.touched.keys() & stream_ids.keys():
            values = {"ids": stream_ids[subject], "first": first}
            rows = conn.execute(gold.touched[subject].encode(), values)
            scopes = {scope for (scope,) in rows if scope is not None}
            if first and subject in gold.since:
                ends = {
                    scope: since
                    for scope, since in conn.execute(gold.since[subject].query.encode(), values)
                    if since is not None
                }
                touched.ends.setdefault(gold.name, {}).update(ends)
                scopes -= ends.keys()
            touched.scopes.setdefault(gold.name, set()).update(scopes)
        if gold.grows_to is not None:
            row = conn.execute(gold.grows_to.encode()).fetchone()
            touched.reach[gold.name] = row[0] if row else None
    return touched


def refresh_gold(
    conn: Connection, schemas: Schemas, gold: GoldDefinition, before: Touched, after: Touched, *, naming: bool = False
) -> None:
    """Select again what silver touched before or after the batch; let the rest grow.

    `naming` has a row that is refused looked for and named, which takes a savepoint for each statement.
    """
    if gold.scope is None:
        return
    into = _Into(conn, schemas, gold, naming)
    scope = sql.Identifier(gold.scope)
    # Before the batch, nothing is known of where its rows begin.
    known = before.scopes.get(gold.name, set()) - after.ends.get(gold.name, {}).keys()
    scopes = sorted(known | after.scopes.get(gold.name, set()))
    if scopes:
        _select_again(into, sql.SQL(" WHERE {} = ANY(%s)").format(scope), [scopes])
    ends = {each: since for each, since in after.ends.get(gold.name, {}).items() if each not in scopes}
    reached, reaches = before.reach.get(gold.name), after.reach.get(gold.name)
    for since, together in _from_where(ends, reached):
        _refresh_ends(into, together, since)
    if reached is not None and reaches > reached and gold.grows_by is not None:
        beyond = sql.SQL(" WHERE {} > %s AND {} <> ALL(%s)").format(sql.Identifier(gold.grows_by), scope)
        _bound(conn, reached)
        _insert(into, beyond, [reached, [*scopes, *ends]])
    if gold.since or gold.grows_by:
        _bound(conn, "")


def _from_where(ends: Mapping[str, Any], reached: Any) -> Iterator[tuple[Any, list[str]]]:
    """Yield from where on scopes are selected again, and those scopes; none later than how far the table reached.

    One that begins long ago must not have all others selected from there. Yet a statement for each value would be too
    many: those go together whose distances from the latest value have as many bits.
    """
    sinces = {scope: since if reached is None else min(since, reached) for scope, since in ends.items()}
    latest = max(sinces.values(), default=0)
    groups: dict[int, list[str]] = {}
    for scope, since in sinces.items():
        groups.setdefault(max((latest - since).bit_length(), _NEAR), []).append(scope)
    for together in groups.values():
        yield min(sinces[scope] for scope in together), together


class _Into(NamedTuple):
    """Where rows go, and whether one that is refused is looked for."""

    conn: Connection
    schemas: Schemas
    gold: GoldDefinition
    naming: bool

    def execute(self, statement: sql.Composed, values: Sequence[Any], where: sql.Composed, of: Sequence[Any]) -> Cursor:
        """Run a statement that writes the rows of the view that `where` says, with its values `of`."""
        if not self.naming:
            return self.conn.execute(statement, values)
        with naming_a_row(self.conn, view_of(self.schemas, self.gold), broken(self.gold), where, of):
            return self.conn.execute(statement, values)


def _select_again(into: _Into, where: sql.Composed, values: list[Any]) -> None:
    """Bring rows to what the view gives now.

    Raises:
        psycopg.errors.UniqueViolation: the view gives a key more than once, where a conflict alone might go unnoticed.
    """
    conn, schemas, gold, _ = into
    described = conn.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table_of(schemas, gold))).description or ()
    statement = selecting_again(schemas, gold, where, [column.name for column in described])
    twice = into.execute(statement, [*values, *values], where, values).fetchone()
    if twice is not None:
        raise UniqueViolation(f"{gold.name}: more than one row with the key {', '.join(map(str, twice))}")


def _refresh_ends(into: _Into, scopes: list[str], since: Any) -> None:
    """Bring the rows of scopes from a value on to what the view gives now."""
    gold = into.gold
    (column,) = {each.column for each in gold.since.values()}
    where = sql.SQL(" WHERE {} = ANY(%s) AND {} >= %s").format(sql.Identifier(gold.scope or ""), sql.Identifier(column))
    _bound(into.conn, since)
    if column == "first_position":  # rows of events: those of new ones can't be there yet
        _insert(into, where, [scopes, since])
    else:
        _select_again(into, where, [scopes, since])


def selecting_again(
    schemas: Schemas, gold: GoldDefinition, where: sql.Composed, columns: Sequence[str]
) -> sql.Composed:
    """Return what brings rows to what the view gives now, and gives a key that it has more than once.

    Rows that are gone are deleted, and only those that differ are written: an update looks up just the foreign keys
    that change; a row inserted anew, all of them. Rows are compared by their bytes: equal numbers of another scale are
    written, too. What is gone is found by a join: for NOT IN, the planner goes through all rows of now for each row
    that there was, where it expects too many of them to find them by a hash.
    """
    key, written = identifiers(gold.key), [sql.Identifier(column) for column in columns]
    return sql.SQL(
        "WITH now AS MATERIALIZED (SELECT * FROM {view}{where}), "
        "gone AS (DELETE FROM {table} AS before{where} AND NOT EXISTS (SELECT FROM now WHERE {same})), "
        "written AS (INSERT INTO {table} AS was SELECT * FROM now "
        "ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW ({values}) WHERE was *<> excluded) "
        "SELECT {key} FROM now GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
    ).format(
        view=view_of(schemas, gold),
        table=table_of(schemas, gold),
        where=where,
        same=sql.SQL(" AND ").join(sql.SQL("now.{0} = before.{0}").format(sql.Identifier(each)) for each in gold.key),
        key=key,
        columns=sql.SQL(", ").join(written),
        values=sql.SQL(", ").join(sql.SQL("excluded.{}").format(column) for column in written),
    )


def _bound(conn: Connection, since: Any) -> None:
    """Tell views that look back over a scope's history from where on rows are asked for; empty for all."""
    conn.execute("SELECT set_config('dataflow.since', %s, true)", [str(since)])


def _insert(into: _Into, where: sql.Composed, values: Sequence[Any]) -> None:
    _, schemas, gold, _ = into
    statement = sql.SQL("INSERT INTO {} SELECT * FROM {}").format(table_of(schemas, gold), view_of(schemas, gold))
    into.execute(statement + where, values, where, values)
