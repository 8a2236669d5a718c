"""The `RowMapping` port: the SELECTs of a mapping, run by DuckDB on rows that were read elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from adapters.files.fields import EXTRAS
from adapters.files.mapping import HEADER, did_you_mean, read_mapping
from adapters.files.queries import Query, connected, fetched, prepared, rows_of, tables_of
from adapters.files.records import Record
from adapters.files.rows import ROW_REJECTED, UnfitRowError, command_of, in_zone
from adapters.files.table_specs import TypedTable, typed_tables
from adapters.files.tables import REJECTED, create_rejected, load_rows
from application.aggregates import AGGREGATE_OF_COMMAND, ORDER
from application.ingest.messages import MESSAGE_TYPES, RejectedRow, type_name
from application.ports.file_source import MappingError
from application.ports.row_mapping import MappedRow
from application.ports.source_database import SourceTable
from application.ports.source_ledger import KeptRow

_CONTENT = msgspec.json.Decoder(dict[str, str | None])


class DuckDbRowMapping:
    """A mapping folder and a DuckDB database that lives as long as this object."""

    def __init__(self, folder: Path, memory_limit: str = "1GB") -> None:
        """Read the mapping; raises MappingError where something in it is wrong."""
        self._mapping = read_mapping(folder)
        self._tables = typed_tables(self._mapping)
        self._aside = TemporaryDirectory(prefix="dataflow-")
        self._connection = connected(Path(self._aside.name), self._mapping.zone.key, memory_limit)
        create_rejected(self._connection)
        self._columns: dict[str, dict[str, str | None]] = {}
        self._queries: dict[str, list[Query]] = {}
        self._used: dict[str, set[str]] = {}

    @property
    def name(self) -> str:
        """The name of the mapping."""
        return self._mapping.name

    @property
    def tables(self) -> Mapping[str, SourceTable]:
        """The tables that its SELECTs read."""
        return {name: typed.table for name, typed in self._tables.items()}

    def close(self) -> None:
        """Remove the database."""
        self._connection.close()
        self._aside.cleanup()

    def describe(self, columns: Mapping[str, Collection[str]]) -> Mapping[str, Collection[str]]:
        """Check the SELECTs against the tables; see the port."""
        for name, typed in self._tables.items():
            if name in columns:
                _require_declared(typed, columns[name])
            self._columns[name] = _typed_columns(typed, columns.get(name, ()))
            self._load(name, ())
        queries = [prepared(self._connection, self._mapping, select) for select in self._mapping.selects]
        self._queries, self._used = defaultdict(list), defaultdict(set)
        for query in queries:
            used = {name for name in self._tables if name.lower() in tables_of(self._connection, query.sql)}
            root = self._root_of(query, used)
            if root and "_file" not in query.columns:
                raise MappingError(f"{query.select.file}: pass _file of {root} on, so that a changed row is recognised")
            self._queries[root].append(query)
            self._used[root] |= used
        lookups = [name for name, typed in self._tables.items() if not typed.table.root]
        return {name: {root for root, used in self._used.items() if root and name in used} for name in lookups}

    def map(self, root: str, rows: Iterable[KeptRow]) -> Sequence[MappedRow]:
        """Run the SELECTs of a root; see the port."""
        by_table: dict[str, list[KeptRow]] = {name: [] for name in self._used.get(root, ())}
        groups: dict[str, str] = {}
        for row in rows:
            if row.table in by_table:
                by_table[row.table].append(row)
                groups[self._place_of(row)] = row.group
        for name, of_table in by_table.items():
            self._load(name, of_table)
        queries = self._queries.get(root, [])
        return [*self._rejected(queries, groups), *(row for query in queries for row in self._rows(query, groups))]

    def _root_of(self, query: Query, used: set[str]) -> str:
        roots = {self._tables[name].table.root for name in used} - {""}
        if len(roots) > 1:
            raise MappingError(
                f"{query.select.file}: {' and '.join(sorted(roots))} change on their own; make one a part `of` the "
                "other, or a `lookup` where it is small"
            )
        return next(iter(roots), "")

    def _load(self, name: str, rows: Iterable[KeptRow]) -> None:
        columns = self._columns[name]
        records = (_record(row, self._place_of(row), columns) for row in rows)
        load_rows(self._connection, name, columns, records, Path(self._aside.name))

    def _place_of(self, row: KeptRow) -> str:
        """Return where a row stands, for people: `orders 10248`, or a message `shop-orders/0@17`."""
        key = ", ".join(map(str, msgspec.json.decode(row.key)))
        return f"{row.table} {key}" if self._tables[row.table].table.query else key

    def _rejected(self, queries: Sequence[Query], groups: Mapping[str, str]) -> Iterator[MappedRow]:
        """Yield the rows of which a value is not of its declared type."""
        topic = AGGREGATE_OF_COMMAND[queries[0].select.command].topic if queries else ORDER.topic
        for table, place, _, column, detail, text in fetched(self._connection, f"FROM {REJECTED}"):
            row = RejectedRow(ROW_REJECTED, f"{place}: {detail}", text, column)
            yield MappedRow(table, place, place, groups[place], topic, None, row)
        self._connection.execute(f"DELETE FROM {REJECTED}")

    def _rows(self, query: Query, groups: Mapping[str, str]) -> Iterator[MappedRow]:
        message_type = MESSAGE_TYPES[type_name(query.select.command)]
        topic = message_type.aggregate.topic
        for number, row in enumerate(rows_of(self._connection, query), 1):
            extras = {name: row.pop(name) for name in EXTRAS if name in row}
            place = extras.get("_file") or f"{query.select.file} row {number}"
            key, group = extras.get("_id") or place, groups.get(place, "")
            try:
                command = command_of(self._mapping, message_type, row)
            except UnfitRowError as error:
                text = msgspec.json.encode(row).decode()
                rejected = RejectedRow(ROW_REJECTED, f"{place}: {query.select.file}: {error}", text, error.column)
                yield MappedRow(query.select.file, key, place, group, topic, None, rejected)
                continue
            changed = _moment(in_zone(extras.get("_changed"), self._mapping.zone))
            yield MappedRow(
                query.select.file,
                key,
                place,
                group,
                topic,
                command,
                correlation=extras.get("_correlation"),
                changed=changed,
                given_id=extras.get("_id"),
            )


def _require_declared(typed: TypedTable, columns: Collection[str]) -> None:
    for column in typed.types:
        if column not in columns:
            place = f"{HEADER}: tables.{typed.table.name}.types.{column}"
            raise MappingError(f"{place}: the table has no such column; {did_you_mean(column, columns)}")


def _typed_columns(typed: TypedTable, columns: Collection[str]) -> dict[str, str | None]:
    """Return the columns of a table with their declared types: those that its rows have, and those declared."""
    names = dict.fromkeys((*columns, *typed.table.key, *typed.types))
    return {name: typed.types.get(name) for name in names if name not in {"_file", "_line"}}


def _record(row: KeptRow, place: str, columns: Collection[str]) -> Record:
    assert row.content is not None
    content = _CONTENT.decode(row.content)
    return Record(place, None, row.content.decode(), [content.get(name) for name in columns])


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
