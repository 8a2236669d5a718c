"""Silver tables: their definition from the row class, and the ways rows go in and out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, LiteralString, get_args, get_type_hints

from psycopg import Connection, sql
from psycopg.types.numeric import DecimalBinaryDumper

from adapters.postgres.read_model.comments import comment
from adapters.postgres.read_model.refused_rows import naming_the_row
from application.projections.table import Table

_TYPES: dict[type, tuple[str, LiteralString]] = {
    str: ("text", 'text COLLATE "C"'),
    int: ("int8", "bigint"),
    Decimal: ("numeric", "numeric"),
    float: ("float8", "double precision"),
    bool: ("bool", "boolean"),
    datetime: ("timestamptz", "timestamptz"),
    date: ("date", "date"),
}
_NUMERIC = DecimalBinaryDumper(Decimal)


@lru_cache(maxsize=50_000)
def _numeric(text: str) -> bytes:
    """Return the binary form of a numeric; its text, and so its scale, tells it from others of the same value."""
    return bytes(_NUMERIC.dump(Decimal(text)) or b"")


def _column(table: Table, name: str, hint: Any) -> tuple[str, sql.Composed]:
    alternatives = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [kind for kind in alternatives if kind is not NoneType]
    if len(kinds) != 1 or kinds[0] not in _TYPES:
        raise TypeError(f"column {name} of {table.name}: no column type for {hint}")
    wire, declared = _TYPES[kinds[0]]
    null = sql.SQL("" if NoneType in alternatives else " NOT NULL")
    return wire, sql.SQL("{} {}{}").format(sql.Identifier(name), sql.SQL(declared), null)


class SilverTable:
    """A silver table in whatever schema a build uses."""

    def __init__(self, table: Table) -> None:
        hints = get_type_hints(table.row)
        columns = [_column(table, name, hints[name]) for name in table.columns]
        self.table = table
        # Decimals are sent as the bytes of a numeric, looked up: to make them takes longer than all other fields.
        self._decimals = [number for number, (wire, _) in enumerate(columns) if wire == "numeric"]
        self._wire_types = ["bytea" if wire == "numeric" else wire for wire, _ in columns]
        self._definition = sql.SQL(", ").join([declared for _, declared in columns])
        self._columns = _names(table.columns)
        self._key = _names(table.key)

    def create(self, conn: Connection, schema: str) -> None:
        """Create the table, without key and indexes, so that it can be loaded fast."""
        name = self._name(schema)
        conn.execute(sql.SQL("CREATE TABLE {} ({})").format(name, self._definition))
        comment(conn, "TABLE", name, self.table.comment, self.table.comments)

    def index(self, conn: Connection, schema: str) -> None:
        """Add the primary key, and an index on the stream id unless the key starts with it."""
        name = self._name(schema)
        conn.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(name, self._key))
        if self.table.key[0] != "stream_id":
            conn.execute(sql.SQL("CREATE INDEX ON {} (stream_id)").format(name))
        for columns in self.table.indexes:
            conn.execute(sql.SQL("CREATE INDEX ON {} ({})").format(name, _names(columns)))

    def load(self, conn: Connection, schema: str, stream_ids: Sequence[str]) -> list[Any]:
        """Return the rows of the streams, in the order of the key."""
        query = sql.SQL("SELECT {} FROM {} WHERE stream_id = ANY(%s) ORDER BY {}").format(
            self._columns, self._name(schema), self._key
        )
        with conn.cursor(binary=True) as cursor:
            return [self.table.make(values) for values in cursor.execute(query, [stream_ids])]

    def delete(self, conn: Connection, schema: str, stream_ids: Sequence[str]) -> None:
        """Delete the rows of the streams."""
        statement = sql.SQL("DELETE FROM {} WHERE stream_id = ANY(%s)").format(self._name(schema))
        conn.execute(statement, [stream_ids])

    def copy(self, conn: Connection, schema: str, rows: Sequence[Any]) -> None:
        """Write rows."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(self._name(schema), self._columns)
        values = self.table.values
        with naming_the_row(rows), conn.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(self._wire_types)
            if not self._decimals:
                for row in rows:
                    copy.write_row(values(row))
                return
            for row in rows:
                fields = list(values(row))
                for number in self._decimals:
                    if fields[number] is not None:
                        fields[number] = _numeric(str(fields[number]))
                copy.write_row(fields)

    def _name(self, schema: str) -> sql.Identifier:
        return sql.Identifier(schema, self.table.name)


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
