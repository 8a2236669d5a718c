"""Topics of other systems as a source: JSON in their own shape, or Debezium's change messages."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from application.aggregates import ORDER
from application.errors import PlatformError
from application.ingest.goal import Goal
from application.ingest.messages import RejectedRow
from application.ports.message_stream import POLL_BYTES, MessageStream, Partition, ReceivedMessage
from application.ports.row_mapping import MappedRow, RowMapping
from application.ports.source_database import SourceTable
from application.ports.source_ledger import (
    AmbiguousKeyError,
    KeptRow,
    Outbox,
    PositionsWentBackError,
    Reading,
    SourceLedger,
    Staging,
)
from application.sources.debezium import Change, filled, read_change
from application.sources.json_rows import UnusableJsonError, read_object, texts_of
from application.sources.outgoing import content_id, messages_of, publish_waiting, with_lasting_ids
from application.sources.rows import kept_row
from application.sources.settling import settle_all

log = logging.getLogger(__name__)

LIMIT = 10_000
"""Messages that are mapped at once. As many as there are, so that what was changed together is seen together."""
GATHER_SECONDS = 1.0
"""How long messages are gathered where more come all the time."""
REJECTED = "MessageRejected"
_EXCERPT = 10_000


class UnknownTopicError(PlatformError):
    """A topic that a mapping names does not exist."""


class _Rejected(NamedTuple):
    """A message that can't be read."""

    message: ReceivedMessage
    detail: str


def source_of(mapping: RowMapping) -> str:
    """Return the name under which a mapping's topics are taken in."""
    return f"topics/{quote(mapping.name)}"


def require_topics(topics: Iterable[str], known: Collection[str]) -> None:
    """Check that topics are among those that are known; raises UnknownTopicError."""
    for topic in topics:
        if topic not in known:
            raise UnknownTopicError(f"there is no topic {topic!r}; whoever publishes on it must create it first")


def recorded_positions(ledger: SourceLedger, mapping: RowMapping) -> Mapping[Partition, int]:
    """Return how far a mapping's topics were taken in."""
    return ledger.progress(source_of(mapping)).positions


class TopicIngest:
    """Maps the messages of other systems' topics and publishes what they ask for on the platform's.

    The position in a topic moves in the transaction that keeps what its messages became: each counts once.
    """

    def __init__(
        self, topics: MessageStream, mapping: RowMapping, ledger: SourceLedger, outbox: Outbox, stream: MessageStream
    ) -> None:
        self._topics = topics
        self._mapping = mapping
        self._ledger = ledger
        self._outbox = outbox
        self._stream = stream
        self._lookups: Mapping[str, Collection[str]] = {}
        self._reached: dict[Partition, int] = {}
        self._tables = {table.topic: table for table in mapping.tables.values() if table.topic is not None}
        self.source = source_of(mapping)

    def begin(self) -> None:
        """Go on where the last run was; raises UnknownTopicError."""
        known = {partition.topic for partition in self._topics.ends()}
        require_topics(self._tables, known)
        self._lookups = self._mapping.describe({})
        self._read_on()
        self._settle()

    def step(self, now: datetime, timeout: float) -> int:
        """Take in what there is, waiting up to `timeout` seconds for a first message; return how many were read.

        Raises:
            MappingError: a SELECT fails on a value; nothing of this batch is kept.
            StoreUnavailableError, StreamUnavailableError: begin again later.
        """
        received = self._received(timeout)
        try:
            if received:
                self.take_in(received, now)
            if passed := self._topics.passed():
                self._outbox.keep(self.source, [], passed, reached=self._reached)
                self._reached.update(passed)
        except PositionsWentBackError as lost:
            log.warning("reading on from the recorded positions: %s", lost)
            self._read_on()
            return 0
        self._settle()
        return len(received)

    def take_in(self, received: Sequence[ReceivedMessage], now: datetime) -> None:
        """Keep what messages became, with the positions after them; raises what `step` does.

        Raises:
            PositionsWentBackError: the database lost what was committed before, which has to be read first.
            ConcurrencyConflictError: somebody else took in some of them; none of the others is kept twice.
        """
        changes, rows, rejected = self._read(received)
        self._keep_rows(rows, rejected, received)
        self._keep_changes(changes, received, now)

    def goal(self) -> Goal:
        """Return all that can be read of the topics now."""
        return Goal(self._topics, lambda: self._ledger.progress(self.source).positions)

    def _read_on(self) -> None:
        """Go on from the recorded positions."""
        self._reached = dict(self._ledger.progress(self.source).positions)
        self._topics.seek(self._reached)

    def _received(self, timeout: float) -> list[ReceivedMessage]:
        """Return what there is; where messages come all the time, what came within a moment, or fits into memory."""
        received = self._topics.poll(LIMIT, timeout)
        reached, room = _positions(received), POLL_BYTES - _size(received)
        until = time.monotonic() + GATHER_SECONDS
        while received and len(received) < LIMIT and room > 0 and time.monotonic() < until:
            if not (more := self._topics.poll(LIMIT - len(received), 0)):
                break
            # A partition that the group took away and handed back meanwhile is read again from what is recorded.
            new = [m for m in more if m.offset >= reached.get(Partition(m.topic, m.partition), 0)]
            reached |= _positions(new)
            room -= _size(more)
            received += new
        return received

    def _read(
        self, received: Iterable[ReceivedMessage]
    ) -> tuple[dict[SourceTable, list[tuple[ReceivedMessage, Change]]], list[KeptRow], list[_Rejected]]:
        changes: dict[SourceTable, list[tuple[ReceivedMessage, Change]]] = defaultdict(list)
        rows, rejected = [], []
        for message in received:
            table = self._tables[message.topic]
            try:
                if not table.query:
                    rows.append(_json_row(table, message))
                elif message.payload and (change := read_change(table, message.payload, message.key)) is not None:
                    changes[table].append((message, change))
            except (UnusableJsonError, AmbiguousKeyError) as error:
                rejected.append(_Rejected(message, str(error)))
        return changes, rows, rejected

    def _keep_rows(
        self, rows: Sequence[KeptRow], rejected: Iterable[_Rejected], received: Iterable[ReceivedMessage]
    ) -> None:
        """Keep what rows ask for with the positions of their topics."""
        roots = list(dict.fromkeys(row.root for row in rows))
        mapped = [each for root in roots for each in self._mapping.map(root, [r for r in rows if r.root == root])]
        mapped += [_rejected_row(*each) for each in rejected]
        plain = [message for message in received if not self._tables[message.topic].query]
        self._keep(mapped, plain)

    def _keep(self, mapped: Sequence[MappedRow], read: Sequence[ReceivedMessage]) -> None:
        if mapped or read:
            sent = self._ledger.progress(self.source).sent
            messages = messages_of(self.source, sent, with_lasting_ids(mapped, {_place(message) for message in read}))
            positions = _positions(read)
            self._outbox.keep(self.source, messages, positions, _read_from(read), self._reached)
            self._reached.update(positions)

    def _keep_changes(
        self,
        changes: dict[SourceTable, list[tuple[ReceivedMessage, Change]]],
        received: Iterable[ReceivedMessage],
        now: datetime,
    ) -> None:
        """Keep changed rows with the positions of their topics."""
        read = [message for message in received if self._tables[message.topic].query]
        if not read:
            return
        with self._ledger.stage(self.source) as staging:
            for table, of_table in changes.items():
                rows, unknown = _latest(table, of_table, staging)
                staging.add_rows(rows)
                # Kept before the position moves, under an id of its own: once too often does no harm.
                self._keep([_rejected_row(*each) for each in unknown], [])
            reading = Reading(
                now,
                positions=_positions(read),
                read_from=_read_from(read),
                reached=self._reached,
                lookups=self._lookups,
            )
            staging.finish(reading)
        self._reached.update(reading.positions)

    def _settle(self) -> None:
        publish_waiting(self._outbox, self._stream, self.source)
        for _ in settle_all(self.source, self._mapping, self._ledger):
            publish_waiting(self._outbox, self._stream, self.source)


def _json_row(table: SourceTable, message: ReceivedMessage) -> KeptRow:
    values = texts_of(read_object(message.payload))
    return kept_row(table, {**values, table.key[0]: _place(message)})


def _latest(
    table: SourceTable, changes: Sequence[tuple[ReceivedMessage, Change]], staging: Staging
) -> tuple[list[KeptRow], list[_Rejected]]:
    """Return the rows as the last change left them, and the messages of rows that are gone but were never known."""
    known = staging.contents(table.name, {change.row.key for _, change in changes})
    latest: dict[str, KeptRow] = {}
    unknown = []
    for message, change in changes:
        row = change.row
        before = latest.get(row.key)
        if before is None and row.content is None and row.key not in known:
            unknown.append(_Rejected(message, f"{table.name} {row.key} is gone, but was never known"))
        elif before is None or (row.position or 0) >= (before.position or 0):
            latest[row.key] = filled(change, before.content if before is not None else known.get(row.key))
    return list(latest.values()), unknown


def _rejected_row(message: ReceivedMessage, detail: str) -> MappedRow:
    place = _place(message)
    text = message.payload.decode(errors="backslashreplace").replace("\0", "\\0")[:_EXCERPT]
    row = MappedRow(
        message.topic, place, place, "", ORDER.topic, None, RejectedRow(REJECTED, f"{place}: {detail}", text)
    )
    return row._replace(given_id=content_id(row, REJECTED))


def _place(message: ReceivedMessage) -> str:
    return f"{message.topic}/{message.partition}@{message.offset}"


def _positions(read: Sequence[ReceivedMessage]) -> dict[Partition, int]:
    return {Partition(message.topic, message.partition): message.offset + 1 for message in read}


def _size(messages: Iterable[ReceivedMessage]) -> int:
    return sum(message.size for message in messages)


def _read_from(read: Sequence[ReceivedMessage]) -> dict[Partition, int]:
    return {Partition(message.topic, message.partition): message.offset for message in reversed(read)}
