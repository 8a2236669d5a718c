"""Messages from files, through SELECTs that DuckDB runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
from duckdb.sqltypes import DuckDBPyType

from adapters.files.fields import check_columns
from adapters.files.mapping import HEADER, Mapping, Select, read_mapping
from adapters.files.rows import Messages, Origin, given_fields
from adapters.files.tables import REJECTED, create_rejected, find_files, first_line, load_table, quoted
from application.aggregates import AGGREGATE_OF_COMMAND, ORDER
from application.ports.file_source import MappingError, SourceFileError
from application.ports.message_stream import OutgoingMessage

_AT_ONCE = 1_000
_ZONED = "timestamp with time zone"


class _Query(NamedTuple):
    select: Select
    sql: str
    columns: tuple[str, ...]


class DuckDbFileSource:
    """Loads the files into a DuckDB database that lives as long as the run, and runs the SELECTs on it."""

    def __init__(self, memory_limit: str = "1GB") -> None:
        self._memory_limit = memory_limit

    def messages(self, path: Path, mapping: Path) -> Iterator[OutgoingMessage]:
        """Yield the messages of the files in a folder; see `FileSource`."""
        read = read_mapping(mapping)
        if not path.is_dir():
            raise SourceFileError(f"{path} is not a folder; give the folder of the files that the mapping names")
        with TemporaryDirectory(prefix="dataflow-") as aside, self._connect(Path(aside)) as connection:
            _set_zone(connection, read.zone.key)
            create_rejected(connection)
            for table, spec in read.files.items():
                load_table(connection, table, spec, find_files(path, table, spec), Path(aside))
            connection.execute("SET enable_external_access = false")
            queries = [_prepared(connection, read, select) for select in read.selects]
            messages = Messages(read)
            yield from _rejected(connection, read, queries, messages)
            for query in queries:
                yield from _commands(connection, query, messages)

    def _connect(self, aside: Path) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            aside / "tables.duckdb",
            config={
                "memory_limit": self._memory_limit,
                "temp_directory": str(aside),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )


def _set_zone(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    try:
        connection.execute(f"SET TimeZone = '{zone}'")
    except duckdb.Error as error:
        raise MappingError(f"{HEADER}: zone {zone!r}: {first_line(error)}") from None


def _prepared(connection: duckdb.DuckDBPyConnection, mapping: Mapping, select: Select) -> _Query:
    """Check a SELECT against the tables and its command, without running it."""
    sql = _single_select(select)
    try:
        found = connection.execute(f"SELECT * FROM ({sql}\n) LIMIT 0").description or []
    except duckdb.Error as error:
        raise MappingError(f"{select.file}: {first_line(error)}") from None
    columns = {name: kind for name, kind, *_ in found}
    check_columns(select.file, select.command, columns, given_fields(mapping, select.command))
    return _Query(select, _in_utc(sql, columns), tuple(columns))


def _single_select(select: Select) -> str:
    try:
        statements = duckdb.extract_statements(select.sql)
    except duckdb.Error as error:
        raise MappingError(f"{select.file}: {first_line(error)}") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise MappingError(f"{select.file}: it must be one SELECT")
    return statements[0].query.strip().rstrip(";")


def _in_utc(sql: str, columns: dict[str, DuckDBPyType]) -> str:
    """Turn times with an offset into UTC: DuckDB hands those over only with a library for zones."""
    zoned = [name for name, kind in columns.items() if kind.id == _ZONED]
    if not zoned:
        return sql
    replaced = ", ".join(
        f"strftime(timezone('UTC', {quoted(n)}), '%Y-%m-%dT%H:%M:%S.%fZ') AS {quoted(n)}" for n in zoned
    )
    return f"SELECT * REPLACE ({replaced}) FROM ({sql}\n)"


def _rejected(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, queries: list[_Query], messages: Messages
) -> Iterator[OutgoingMessage]:
    topics = {table: spec.topic or _topic_of(connection, table, queries) for table, spec in mapping.files.items()}
    for table, *origin, column, detail, text in _fetched(connection, f"FROM {REJECTED}"):
        yield messages.rejected(topics[table], Origin(*origin), column, detail, text)


def _topic_of(connection: duckdb.DuckDBPyConnection, table: str, queries: list[_Query]) -> str:
    """Return the topic of the first command that is made from a table."""
    for query in queries:
        names = connection.execute(
            "SELECT json_extract_string(json_serialize_sql(?), '$..table_name')", [query.sql]
        ).fetchall()[0][0]
        if table.lower() in (name.lower() for name in names):
            return AGGREGATE_OF_COMMAND[query.select.command].topic
    return ORDER.topic


def _commands(connection: duckdb.DuckDBPyConnection, query: _Query, messages: Messages) -> Iterator[OutgoingMessage]:
    try:
        for number, row in enumerate(_fetched(connection, query.sql), 1):
            yield messages.of_row(query.select, number, dict(zip(query.columns, row, strict=True)))
    except duckdb.Error as error:
        raise MappingError(f"{query.select.file}: {first_line(error)}") from None


def _fetched(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[Any, ...]]:
    result = connection.execute(sql)
    while rows := result.fetchmany(_AT_ONCE):
        yield from rows
