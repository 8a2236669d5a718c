"""Gold tables: each a view over silver, materialised; created whole, refreshed by the scopes that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection, sql

from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.schemas import Schemas

StreamIds = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Touched:
    """What a batch touches: scope values by table, and how far the tables reach that grow."""

    scopes: dict[str, set[str]] = field(default_factory=dict)
    reach: dict[str, Any] = field(default_factory=dict)


def create_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition) -> None:
    """Create the view in silver, and the table with its content, key, indexes and comment."""
    schemas.use(conn)
    view, table = _view(schemas, gold), _table(schemas, gold)
    head = sql.SQL("CREATE VIEW {} AS\n").format(view).as_bytes(conn)
    conn.execute(head + gold.select.encode())
    conn.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM {}").format(table, view))
    conn.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, _names(gold.key)))
    for columns in gold.indexes:
        conn.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, _names(columns)))
    conn.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(gold.comment)))


def find_touched(conn: Connection, definitions: Iterable[GoldDefinition], stream_ids: StreamIds) -> Touched:
    """Ask silver, as it is now, which scopes the streams touch; `stream_ids` are given by subject."""
    touched = Touched()
    for gold in definitions:
        for subject in gold.touched.keys() & stream_ids.keys():
            rows = conn.execute(gold.touched[subject].encode(), {"ids": stream_ids[subject]})
            scopes = {scope for (scope,) in rows if scope is not None}
            touched.scopes.setdefault(gold.name, set()).update(scopes)
        if gold.grows_to is not None:
            row = conn.execute(gold.grows_to.encode()).fetchone()
            touched.reach[gold.name] = row[0] if row else None
    return touched


def refresh_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition, before: Touched, after: Touched) -> None:
    """Delete and select again what silver touched before or after the batch; let the rest grow."""
    if gold.scope is None:
        return
    scopes = sorted(before.scopes.get(gold.name, set()) | after.scopes.get(gold.name, set()))
    scope = sql.Identifier(gold.scope)
    if scopes:
        where = sql.SQL(" WHERE {} = ANY(%s)").format(scope)
        conn.execute(sql.SQL("DELETE FROM {}").format(_table(schemas, gold)) + where, [scopes])
        conn.execute(_insert(schemas, gold) + where, [scopes])
    reached, reaches = before.reach.get(gold.name), after.reach.get(gold.name)
    if gold.grows_by is not None and reached is not None and reaches > reached:
        beyond = sql.SQL(" WHERE {} > %s AND {} <> ALL(%s)").format(sql.Identifier(gold.grows_by), scope)
        conn.execute(_insert(schemas, gold) + beyond, [reached, scopes])


def _insert(schemas: Schemas, gold: GoldDefinition) -> sql.Composed:
    return sql.SQL("INSERT INTO {} SELECT * FROM {}").format(_table(schemas, gold), _view(schemas, gold))


def _table(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    return sql.Identifier(schemas.gold, gold.name)


def _view(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    return sql.Identifier(schemas.silver, f"{gold.name}_source")


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
