"""Gold tables: each a view over silver, materialised; created whole, see `gold_refresh` for how they follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import psycopg
from psycopg import Connection, sql

from adapters.postgres.read_model.comments import comment
from adapters.postgres.read_model.gold_definitions import GoldDefinition, Index
from adapters.postgres.read_model.refused_rows import naming_a_row
from adapters.postgres.read_model.schemas import Schemas

_NOT_VALID = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND NOT convalidated ORDER BY 1"
_DEFERRED = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND condeferred ORDER BY 1"
_REFERENCES = "SELECT EXISTS (SELECT FROM pg_constraint WHERE connamespace = %s::regnamespace AND contype = 'f')"


@contextmanager
def naming_the_file(gold: GoldDefinition) -> Iterator[None]:
    """Name the definition's file in what the database refuses."""
    try:
        yield
    except psycopg.Error as error:
        error.add_note(f"in the gold definition {gold.name}.sql")
        raise


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
    schemas.use(conn)
    view, table = view_of(schemas, gold), table_of(schemas, gold)
    conn.execute(sql.SQL("CREATE VIEW {} AS\n").format(view).as_bytes(conn) + gold.select.encode())
    conn.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM {}").format(table, view))
    with naming_a_row(conn, table, broken(gold)):
        conn.execute(sql.SQL("ALTER TABLE {} ").format(table) + sql.SQL(", ").join(_constraints(gold)))
    for index in gold.indexes:
        conn.execute(_create_index(conn, table, index))
    _comment(conn, "TABLE", table, gold)


def create_view(conn: Connection, schemas: Schemas, gold: GoldDefinition) -> None:
    """Create what is no table, once all tables are there."""
    schemas.use(conn)
    view = table_of(schemas, gold)
    conn.execute(sql.SQL("CREATE VIEW {} AS\n").format(view).as_bytes(conn) + gold.select.encode())
    _comment(conn, "VIEW", view, gold)


def reference_gold(conn: Connection, schemas: Schemas, gold: GoldDefinition, keys: Mapping[str, Sequence[str]]) -> None:
    """Add the foreign keys, once all tables are there; checked at commit, whatever order rows come in.

    They hold for rows to come; `validate_references` looks at those that are there.
    """
    # In one order, so that tables referenced at the same time don't lock each other out.
    for target, column in sorted((target, column) for column, target in gold.references.items()):
        conn.execute(
            sql.SQL(
                "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({}) DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ).format(
                table_of(schemas, gold),
                sql.Identifier(column),
                sql.Identifier(schemas.gold, target),
                identifiers(keys[target]),
            )
        )


def has_references(conn: Connection, schemas: Schemas) -> bool:
    """Tell whether the foreign keys were added."""
    return bool(next(conn.execute(_REFERENCES, [schemas.gold]))[0])


def validate_references(
    conn: Connection, schemas: Schemas, gold: GoldDefinition, keys: Mapping[str, Sequence[str]]
) -> None:
    """Let the server check the foreign keys of all rows.

    Raises:
        psycopg.errors.ForeignKeyViolation: a row refers to none; it is named.
    """
    table = table_of(schemas, gold)
    names = conn.execute(_NOT_VALID, [table.as_string(conn)]).fetchall()
    steps = [sql.SQL("VALIDATE CONSTRAINT {}").format(sql.Identifier(name)) for (name,) in names]
    if steps:
        with naming_a_row(conn, table, _referring_to_none(conn, schemas, gold, keys)):
            conn.execute(sql.SQL("ALTER TABLE {} ").format(table) + sql.SQL(", ").join(steps))


def check_references(
    conn: Connection, schemas: Schemas, golds: Iterable[GoldDefinition], keys: Mapping[str, Sequence[str]]
) -> None:
    """Check the foreign keys of new rows now, and not at the commit, where no row is named; raises as above."""
    for gold in golds:
        names = [name for (name,) in conn.execute(_DEFERRED, [table_of(schemas, gold).as_string(conn)])]
        if names:
            constraints = sql.SQL(", ").join(sql.Identifier(schemas.gold, name) for name in names)
            with (
                naming_the_file(gold),
                naming_a_row(conn, table_of(schemas, gold), _referring_to_none(conn, schemas, gold, keys)),
            ):
                conn.execute(sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(constraints))


def _referring_to_none(
    conn: Connection, schemas: Schemas, gold: GoldDefinition, keys: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the conditions of rows, as `t`, that refer to a row which is not there."""
    found = sql.SQL("t.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {target} AS o WHERE o.{key} = t.{column})")
    return [
        found.format(
            column=sql.Identifier(column),
            target=sql.Identifier(schemas.gold, target),
            key=identifiers(keys[target]),
        ).as_string(conn)
        for column, target in gold.references.items()
    ]


def broken(gold: GoldDefinition) -> list[str]:
    """Return the conditions of rows that don't keep a constraint; of a key that comes twice, the server says which."""
    return [
        *(f'"{name}" IS NULL' for name in (*gold.key, *_required(gold))),
        *(f"NOT ({check})" for check in gold.checks),
    ]


def _constraints(gold: GoldDefinition) -> list[sql.Composed]:
    return [
        sql.SQL("ADD PRIMARY KEY ({})").format(identifiers(gold.key)),
        *(sql.SQL("ALTER {} SET NOT NULL").format(sql.Identifier(name)) for name in _required(gold)),
        *(sql.SQL("ADD CHECK ({})").format(sql.SQL(check)) for check in gold.checks),
    ]


def _required(gold: GoldDefinition) -> list[str]:
    return [name for name, column in gold.columns.items() if column.required and name not in gold.key]


def _create_index(conn: Connection, table: sql.Identifier, index: Index) -> bytes:
    if index.elements:
        # Without a list of pending entries: some refresh would have to put them all in place.
        return (
            sql.SQL("CREATE INDEX ON {} USING gin ({}) WITH (fastupdate = off)")
            .format(table, identifiers(index.columns))
            .as_bytes(conn)
        )
    covering = sql.SQL(" INCLUDE ({})").format(identifiers(index.including)) if index.including else sql.SQL("")
    statement = sql.SQL("CREATE INDEX ON {} ({})").format(table, identifiers(index.columns)) + covering
    return statement.as_bytes(conn) + (f" WHERE {index.where}".encode() if index.where else b"")


def _comment(conn: Connection, kind: Literal["TABLE", "VIEW"], name: sql.Identifier, gold: GoldDefinition) -> None:
    comment(conn, kind, name, gold.comment, {each: column.comment for each, column in gold.columns.items()})


def table_of(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    """Return the name of the table."""
    return sql.Identifier(schemas.gold, gold.name)


def view_of(schemas: Schemas, gold: GoldDefinition) -> sql.Identifier:
    """Return the name of the view that is its content."""
    return sql.Identifier(schemas.silver, f"{gold.name}_source")


def identifiers(columns: Iterable[str]) -> sql.Composed:
    """Return names as a list in SQL."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))
