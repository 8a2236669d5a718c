"""The SELECTs of a mapping in DuckDB: checked before they run, their rows fetched bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from duckdb.sqltypes import DuckDBPyType

from adapters.files.fields import check_columns
from adapters.files.mapping import HEADER, Mapping, Select
from adapters.files.rows import given_fields
from adapters.files.tables import first_line, quoted
from application.ports.file_source import MappingError

_AT_ONCE = 1_000
_ZONED = "timestamp with time zone"


class Query(NamedTuple):
    """A SELECT that was checked, the SQL to run, and its columns."""

    select: Select
    sql: str
    columns: tuple[str, ...]


def connected(aside: Path, zone: str, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open a database in the folder `aside` that reads times without an offset as of the zone.

    Raises:
        MappingError: DuckDB doesn't know the zone.
    """
    connection = duckdb.connect(
        aside / "tables.duckdb",
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(aside),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        connection.execute(f"SET TimeZone = '{zone}'")
    except duckdb.Error as error:
        connection.close()
        raise MappingError(f"{HEADER}: zone {zone!r}: {first_line(error)}") from None
    return connection


def prepared(connection: duckdb.DuckDBPyConnection, mapping: Mapping, select: Select) -> Query:
    """Check a SELECT against the tables and its command, without running it.

    Raises:
        MappingError: it names the file, the column and what to do.
    """
    sql = single_select(select)
    try:
        found = connection.execute(f"SELECT * FROM ({sql}\n) LIMIT 0").description or []
    except duckdb.Error as error:
        raise MappingError(f"{select.file}: {first_line(error)}") from None
    columns = {name: kind for name, kind, *_ in found}
    check_columns(select.file, select.command, columns, given_fields(mapping, select.command))
    return Query(select, _in_utc(sql, columns), tuple(columns))


def single_select(select: Select) -> str:
    """Return the statement of a SELECT; raises MappingError where it is another, or several."""
    try:
        statements = duckdb.extract_statements(select.sql)
    except duckdb.Error as error:
        raise MappingError(f"{select.file}: {first_line(error)}") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise MappingError(f"{select.file}: it must be one SELECT")
    return statements[0].query.strip().rstrip(";")


def tables_of(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Return the names that a SELECT reads from, in lower case; those of its own WITH are among them."""
    names = connection.execute("SELECT json_extract_string(json_serialize_sql(?), '$..table_name')", [sql])
    return {name.lower() for name in names.fetchall()[0][0]}


def rows_of(connection: duckdb.DuckDBPyConnection, query: Query) -> Iterator[dict[str, Any]]:
    """Yield the rows of a SELECT by column; raises MappingError where it fails on a value."""
    try:
        for row in fetched(connection, query.sql):
            yield dict(zip(query.columns, row, strict=True))
    except duckdb.Error as error:
        raise MappingError(f"{query.select.file}: {first_line(error)}") from None


def fetched(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a statement."""
    result = connection.execute(sql)
    while rows := result.fetchmany(_AT_ONCE):
        yield from rows


def _in_utc(sql: str, columns: dict[str, DuckDBPyType]) -> str:
    """Turn times with an offset into UTC: DuckDB hands those over only with a library for zones."""
    zoned = [name for name, kind in columns.items() if kind.id == _ZONED]
    if not zoned:
        return sql
    replaced = ", ".join(
        f"strftime(timezone('UTC', {quoted(n)}), '%Y-%m-%dT%H:%M:%S.%fZ') AS {quoted(n)}" for n in zoned
    )
    return f"SELECT * REPLACE ({replaced}) FROM ({sql}\n)"
