"""Gold tables: each a view over silver, materialised; created whole, refreshed by the scopes that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import Connection, sql

from adapters.postgres.read_model.gold_definitions import GoldDefinition, Index
from adapters.postgres.read_model.schemas import Schemas

_NOT_VALID = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND NOT convalidated ORDER BY 1"
StreamIds = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Touched:
    """What a batch touches: scope values by table, and how far the tables reach that grow.

    `ends` holds the scopes of which only the rows from a value on can have changed, and that value.
    """

    scopes: dict[str, set[str]] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    reach: dict[str, Any] = field(default_factory=dict)


def create_functions(conn: Connection, schemas: Schemas) -> None:
    """Create what the definitions call: the key of a member of which the catalog knows nothing, see `surrogate_key`."""
    conn.execute(
        sql.SQL(
            "CREATE FUNCTION {}(stream_id text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN "
            "(('x' || left(encode(sha256(convert_to(stream_id, 'UTF8')), 'hex'), 16))::bit(64)::bigint >> 1)"
            " & 9223372036854775807"
        ).format(sql.Identifier(schemas.silver, "member_key"))
    )


def create_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition) -> None:
    """Create the view in silver, and the table with its content, key, checks, indexes and comments."""
    if not gold.materialized:
        return
    schemas.use(conn)
    view, table = _view(schemas, gold), _table(schemas, gold)
    conn.execute(sql.SQL("CREATE VIEW {} AS\n").format(view).as_bytes(conn) + gold.select.encode())
    conn.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM {}").format(table, view))
    conn.execute(sql.SQL("ALTER TABLE {} ").format(table) + sql.SQL(", ").join(_constraints(gold)))
    for index in gold.indexes:
        conn.execute(_create_index(conn, table, index))
    _comment(conn, schemas, gold, "TABLE")


def reference_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition, keys: Mapping[str, Sequence[str]]) -> None:
    """Create what needs all tables: foreign keys, checked at commit since a refresh selects rows again; or the view.

    The keys hold for rows to come; `validate_references` looks at those that are there.
    """
    if not gold.materialized:
        schemas.use(conn)
        conn.execute(sql.SQL("CREATE VIEW {} AS\n").format(_table(schemas, gold)).as_bytes(conn) + gold.select.encode())
        _comment(conn, schemas, gold, "VIEW")
        return
    # In one order, so that tables referenced at the same time don't lock each other out.
    for target, column in sorted((target, column) for column, target in gold.references.items()):
        conn.execute(
            sql.SQL(
                "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({}) DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ).format(
                _table(schemas, gold),
                sql.Identifier(column),
                sql.Identifier(schemas.gold, target),
                _names(keys[target]),
            )
        )


def validate_references(conn: Connection, schemas: Schemas, gold: GoldDefinition) -> None:
    """Let the server check the foreign keys of all rows.

    Raises:
        psycopg.errors.ForeignKeyViolation: a row refers to none.
    """
    table = _table(schemas, gold)
    names = conn.execute(_NOT_VALID, [table.as_string(conn)]).fetchall()
    steps = [sql.SQL("VALIDATE CONSTRAINT {}").format(sql.Identifier(name)) for (name,) in names]
    if steps:
        conn.execute(sql.SQL("ALTER TABLE {} ").format(table) + sql.SQL(", ").join(steps))


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


def refresh_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition, before: Touched, after: Touched) -> None:
    """Delete and select again what silver touched before or after the batch; let the rest grow."""
    if gold.scope is None:
        return
    scope = sql.Identifier(gold.scope)
    # Before the batch, nothing is known of where its rows begin.
    known = before.scopes.get(gold.name, set()) - after.ends.get(gold.name, {}).keys()
    scopes = sorted(known | after.scopes.get(gold.name, set()))
    if scopes:
        _select_again(conn, schemas, gold, sql.SQL(" WHERE {} = ANY(%s)").format(scope), [scopes])
    ends = {each: since for each, since in after.ends.get(gold.name, {}).items() if each not in scopes}
    reached, reaches = before.reach.get(gold.name), after.reach.get(gold.name)
    if ends:
        (column,) = {since.column for since in gold.since.values()}
        since = min([*ends.values(), *([] if reached is None else [reached])])
        where = sql.SQL(" WHERE {} = ANY(%s) AND {} >= %s").format(scope, sql.Identifier(column))
        _bound(conn, since)
        if column == "first_position":  # rows of events: those of new ones can't be there yet
            conn.execute(_insert(schemas, gold) + where, [list(ends), since])
        else:
            _select_again(conn, schemas, gold, where, [list(ends), since])
    if reached is not None and reaches > reached and gold.grows_by is not None:
        beyond = sql.SQL(" WHERE {} > %s AND {} <> ALL(%s)").format(sql.Identifier(gold.grows_by), scope)
        _bound(conn, reached)
        conn.execute(_insert(schemas, gold) + beyond, [reached, [*scopes, *ends]])
    if gold.since or gold.grows_by:
        _bound(conn, "")


def _select_again(
    conn: Connection, schemas: Schemas, gold: GoldDefinition, where: sql.Composed, values: list[Any]
) -> None:
    conn.execute(sql.SQL("DELETE FROM {}").format(_table(schemas, gold)) + where, values)
    conn.execute(_insert(schemas, gold) + where, values)


def _bound(conn: Connection, since: Any) -> None:
    """Tell views that look back over a scope's history from where on rows are asked for; empty for all."""
    conn.execute("SELECT set_config('dataflow.since', %s, true)", [str(since)])


def _constraints(gold: GoldDefinition) -> list[sql.Composed]:
    required = [name for name, column in gold.columns.items() if column.required and name not in gold.key]
    return [
        sql.SQL("ADD PRIMARY KEY ({})").format(_names(gold.key)),
        *(sql.SQL("ALTER {} SET NOT NULL").format(sql.Identifier(name)) for name in required),
        *(sql.SQL("ADD CHECK ({})").format(sql.SQL(check)) for check in gold.checks),
    ]


def _create_index(conn: Connection, table: sql.Identifier, index: Index) -> bytes:
    if index.elements:
        # Without a list of pending entries: some refresh would have to put them all in place.
        return (
            sql.SQL("CREATE INDEX ON {} USING gin ({}) WITH (fastupdate = off)")
            .format(table, _names(index.columns))
            .as_bytes(conn)
        )
    covering = sql.SQL(" INCLUDE ({})").format(_names(index.including)) if index.including else sql.SQL("")
    statement = sql.SQL("CREATE INDEX ON {} ({})").format(table, _names(index.columns)) + covering
    return statement.as_bytes(conn) + (f" WHERE {index.where}".encode() if index.where else b"")


def _comment(conn: Connection, schemas: Schemas, gold: GoldDefinition, kind: LiteralString) -> None:
    table = _table(schemas, gold)
    conn.execute(sql.SQL(f"COMMENT ON {kind} {{}} IS {{}}").format(table, sql.Literal(gold.comment)))
    for name, column in gold.columns.items():
        conn.execute(
            sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(table, sql.Identifier(name), sql.Literal(column.comment))
        )


def _insert(schemas: Schemas, gold: GoldDefinition) -> sql.Composed:
    return sql.SQL("INSERT INTO {} SELECT * FROM {}").format(_table(schemas, gold), _view(schemas, gold))


def _table(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    return sql.Identifier(schemas.gold, gold.name)


def _view(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    return sql.Identifier(schemas.silver, f"{gold.name}_source")


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
