"""Messages from files, through SELECTs that DuckDB runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from adapters.files.mapping import Mapping, read_mapping
from adapters.files.queries import Query, connected, fetched, prepared, rows_of, tables_of
from adapters.files.rows import Messages, Origin
from adapters.files.tables import REJECTED, create_rejected, find_files, load_table
from application.aggregates import AGGREGATE_OF_COMMAND, ORDER
from application.ports.file_source import SourceFileError
from application.ports.message_stream import OutgoingMessage


class DuckDbFileSource:
    """Loads the files into a DuckDB database that lives as long as the run, and runs the SELECTs on it."""

    def __init__(self, memory_limit: str = "1GB") -> None:
        self._memory_limit = memory_limit

    def messages(self, path: Path, mapping: Path) -> Iterator[OutgoingMessage]:
        """Yield the messages of the files in a folder; see `FileSource`."""
        read = read_mapping(mapping)
        if not path.is_dir():
            raise SourceFileError(f"{path} is not a folder; give the folder of the files that the mapping names")
        with (
            TemporaryDirectory(prefix="dataflow-") as aside,
            connected(Path(aside), read.zone.key, self._memory_limit) as connection,
        ):
            create_rejected(connection)
            for table, spec in read.files.items():
                load_table(connection, table, spec, find_files(path, table, spec), Path(aside))
            connection.execute("SET enable_external_access = false")
            queries = [prepared(connection, read, select) for select in read.selects]
            messages = Messages(read)
            yield from _rejected(connection, read, queries, messages)
            for query in queries:
                yield from _commands(connection, query, messages)


def _rejected(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, queries: list[Query], messages: Messages
) -> Iterator[OutgoingMessage]:
    topics = {table: spec.topic or _topic_of(connection, table, queries) for table, spec in mapping.files.items()}
    for table, *origin, column, detail, text in fetched(connection, f"FROM {REJECTED}"):
        yield messages.rejected(topics[table], Origin(*origin), column, detail, text)


def _topic_of(connection: duckdb.DuckDBPyConnection, table: str, queries: list[Query]) -> str:
    """Return the topic of the first command that is made from a table."""
    for query in queries:
        if table.lower() in tables_of(connection, query.sql):
            return AGGREGATE_OF_COMMAND[query.select.command].topic
    return ORDER.topic


def _commands(connection: duckdb.DuckDBPyConnection, query: Query, messages: Messages) -> Iterator[OutgoingMessage]:
    for number, row in enumerate(rows_of(connection, query), 1):
        yield messages.of_row(query.select, number, row)
