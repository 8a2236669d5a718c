"""A database as a source: find what changed, keep it, and turn it into messages, group by group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from application.ports.message_stream import MessageStream
from application.ports.row_mapping import RowMapping
from application.ports.source_database import ReadRow, SourceDatabase, SourceSnapshot, SourceTable
from application.ports.source_ledger import AmbiguousKeyError, KeptRow, Outbox, Progress, Reading, SourceLedger, Staging
from application.sources.outgoing import publish_waiting
from application.sources.rows import decode_key, encode_key, kept_row
from application.sources.settling import settle_all

FETCHED = 500
"""Rows that are fetched by key at once."""

Report = Callable[[int], None]


class Done(NamedTuple):
    """What a run read from the source, and what came of it."""

    rows_read: int
    keys_read: int
    rows_changed: int
    messages: int


class DatabaseIngest:
    """Brings the platform up to what a database says now.

    The changes and the marks up to which was read are kept in one transaction; only then are they mapped, and the
    rows, the messages and the note that they are due are kept in another. Whatever is killed when, the next run
    goes on with what was kept first.
    """

    def __init__(
        self, database: SourceDatabase, mapping: RowMapping, ledger: SourceLedger, outbox: Outbox, stream: MessageStream
    ) -> None:
        self._database = database
        self._mapping = mapping
        self._ledger = ledger
        self._outbox = outbox
        self._stream = stream
        self.source = f"orders-db/{quote(mapping.name)}"

    def run(self, now: datetime, report: Report = lambda _: None, *, accept_deletes: bool = False) -> Done:
        """Read what changed and publish its messages.

        Raises:
            SourceDatabaseError, MappingError, AmbiguousKeyError, SourceShrankError: nothing of this reading is kept.
            StoreUnavailableError, StreamUnavailableError: call again later; it goes on where it was.
        """
        published = 0

        def note(more: int) -> None:
            nonlocal published
            published += more

        publish_waiting(self._outbox, self._stream, self.source, note)
        with self._database.snapshot() as snapshot:
            tables = list(self._mapping.tables.values())
            lookups = self._mapping.describe({table.name: snapshot.columns(table) for table in tables})
            self._settle(note)
            counter = _Counter(report)
            reading = Reading(
                now,
                complete=[table.name for table in tables if table.deletes],
                lookups=lookups,
                accept_deletes=accept_deletes,
            )
            changed = self._read(snapshot, reading, counter)
        self._settle(note)
        return Done(counter.rows, counter.keys, changed, published)

    def _settle(self, note: Report) -> None:
        for _ in settle_all(self.source, self._mapping, self._ledger):
            publish_waiting(self._outbox, self._stream, self.source, note)

    def _read(self, snapshot: SourceSnapshot, reading: Reading, counter: _Counter) -> int:
        progress = self._ledger.progress(self.source)
        marks = dict(progress.marks)
        with self._ledger.stage(self.source) as staging:
            for table in self._mapping.tables.values():
                marks[table.name] = _read_table(snapshot, table, progress, staging, counter)
            return staging.finish(reading._replace(marks=marks))


class _Counter:
    """Counts what is read, and tells."""

    def __init__(self, report: Report) -> None:
        self.rows = self.keys = 0
        self._report = report

    def row(self) -> None:
        self.rows += 1
        if not self.rows % 1_000:
            self._report(self.rows)


def _read_table(
    snapshot: SourceSnapshot, table: SourceTable, progress: Progress, staging: Staging, counter: _Counter
) -> str:
    """Add what may have changed in a table; return the mark to go on from, empty where it has none."""
    known = progress.marks.get(table.name)
    marks = _Marks(known or "")
    whole = known is None or (table.version is None and table.changed is None)
    if whole:
        staging.add_rows(marks.passing(snapshot.rows(table), table, counter))
        return marks.last
    if table.changed is not None:
        staging.add_rows(marks.passing(snapshot.rows(table, known or None), table, counter))
        if not table.deletes:
            return marks.last
    keys = ((encode_key(key), version) for key, version in snapshot.keys(table))
    counter.keys += staging.add_keys(table.name, keys)
    while missing := staging.missing(table.name, FETCHED):
        fetched = snapshot.fetch(table, [decode_key(key) for key in missing])
        if not staging.add_rows(_Marks("").passing(fetched, table, counter)):
            raise AmbiguousKeyError(f"{table.name}: the row with the key {missing[0]} exists, but can't be found by it")
    return marks.last


class _Marks:
    """Remembers the last mark of the rows that pass."""

    def __init__(self, last: str) -> None:
        self.last = last

    def passing(self, rows: Iterator[ReadRow], table: SourceTable, counter: _Counter) -> Iterator[KeptRow]:
        for row in rows:
            counter.row()
            self.last = row.mark or self.last
            yield kept_row(table, row.values, row.version)
