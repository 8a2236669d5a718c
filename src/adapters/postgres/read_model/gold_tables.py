"""Gold tables: each a view over silver, materialised; created whole, refreshed by the scopes that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import Connection, sql

from adapters.postgres.read_model.gold_definitions import GoldDefinition
from adapters.postgres.read_model.schemas import Schemas

StreamIds = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Touched:
    """What a batch touches: scope values by table, and the values that stand for a whole table."""

    scopes: dict[str, set[str]] = field(default_factory=dict)
    marks: dict[str, object] = field(default_factory=dict)


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
        if gold.everything_when_changed is not None:
            touched.marks[gold.name] = conn.execute(gold.everything_when_changed.encode()).fetchone()
    return touched


def refresh_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition, before: Touched, after: Touched) -> None:
    """Delete and select again what silver touched before or after the batch."""
    if before.marks.get(gold.name) != after.marks.get(gold.name):
        conn.execute(sql.SQL("DELETE FROM {}").format(_table(schemas, gold)))
        conn.execute(_insert(schemas, gold))
        return
    scopes = before.scopes.get(gold.name, set()) | after.scopes.get(gold.name, set())
    if scopes and gold.scope is not None:
        where = sql.SQL(" WHERE {} = ANY(%s)").format(sql.Identifier(gold.scope))
        values = [sorted(scopes)]
        conn.execute(sql.SQL("DELETE FROM {}").format(_table(schemas, gold)) + where, values)
        conn.execute(_insert(schemas, gold) + where, values)


def _insert(schemas: Schemas, gold: GoldDefinition) -> sql.Composed:
    return sql.SQL("INSERT INTO {} SELECT * FROM {}").format(_table(schemas, gold), _view(schemas, gold))


def _table(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    return sql.Identifier(schemas.gold, gold.name)


def _view(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    return sql.Identifier(schemas.silver, f"{gold.name}_source")


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
