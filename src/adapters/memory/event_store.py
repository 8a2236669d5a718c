"""Event store and inbox in one process: for unit tests and short runs, gone when the process ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from threading import Lock

from application.ports.cases import Case, CaseStatus
from application.ports.event_store import READ_BYTES, Batch, ConcurrencyConflictError, RecordedEvent
from application.ports.inbox import (
    Balance,
    Outcome,
    Quarantined,
    QuarantineStatus,
    Receipt,
    Settlement,
)
from application.ports.message_stream import Partition


@dataclass
class MemoryDatabase:
    """What a database would keep; `MemoryEventStore` and `MemoryInbox` share one."""

    log: list[RecordedEvent] = field(default_factory=list)
    streams: dict[str, list[RecordedEvent]] = field(default_factory=dict)
    receipts: dict[tuple[str, int, int], Receipt] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    quarantine: dict[int, Quarantined] = field(default_factory=dict)
    handed_on: set[int] = field(default_factory=set)
    positions: dict[Partition, int] = field(default_factory=dict)
    tracking: dict[str, int] = field(default_factory=dict)
    cases: dict[tuple[str, str], Case] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


class MemoryEventStore:
    """The `EventStore` port in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def append(self, batch: Batch) -> None:
        """Check all of the batch, then keep all of it."""
        if batch.after is not None:
            batch.after()
        with self._db.lock:
            self._check(batch)
            self._keep(batch)

    def load(self, stream_ids: Collection[str]) -> dict[str, list[RecordedEvent]]:
        """Return the events of streams, by stream."""
        with self._db.lock:
            return {s: list(self._db.streams[s]) for s in stream_ids if s in self._db.streams}

    def read(self, after: int, limit: int, topics: Collection[str] = ()) -> list[RecordedEvent]:
        """Return events in global order."""
        with self._db.lock:
            wanted = (e for e in self._db.log[max(after, 0) :] if not topics or e.topic in topics)
            page = list(islice(wanted, limit))
        sizes = accumulate(len(event.state) for event in page)
        return [event for n, (event, size) in enumerate(zip(page, sizes, strict=True)) if not n or size <= READ_BYTES]

    def head(self) -> int:
        """Return the position of the last event."""
        with self._db.lock:
            return len(self._db.log)

    def checkpoint(self, name: str) -> int:
        """Return how far a reader has come."""
        with self._db.lock:
            return self._db.tracking.get(name, 0)

    def _check(self, batch: Batch) -> None:
        new = Counter((e.stream_id, e.version) for e in batch.events)
        for (stream_id, version), times in new.items():
            if times > 1 or version <= len(self._db.streams.get(stream_id, ())):
                raise ConcurrencyConflictError(f"{stream_id} has version {version} already")
        places = Counter((r.topic, r.partition, r.offset) for r in batch.receipts)
        ids = Counter(_claimed(batch.receipts))
        if any(n > 1 or p in self._db.receipts for p, n in places.items()):
            raise ConcurrencyConflictError("a message of the batch was taken in already")
        if any(n > 1 or i in self._db.seen for i, n in ids.items()):
            raise ConcurrencyConflictError("a message id of the batch was recorded already")
        for settlement in batch.settlements:
            if self._db.quarantine[settlement.quarantine_id].status is not QuarantineStatus.OPEN:
                raise ConcurrencyConflictError(f"quarantined message {settlement.quarantine_id} is settled already")
        if batch.tracking and batch.tracking.position <= self._db.tracking.get(batch.tracking.name, 0):
            raise ConcurrencyConflictError(f"{batch.tracking.name} is beyond {batch.tracking.position}")
        if any(self._db.positions.get(place, 0) < offset for place, offset in batch.reached.items()):
            raise ConcurrencyConflictError("positions went back")

    def _keep(self, batch: Batch) -> None:
        db = self._db
        for event in batch.events:
            recorded = RecordedEvent(len(db.log) + 1, *event)
            db.log.append(recorded)
            db.streams.setdefault(event.stream_id, []).append(recorded)
        for receipt in batch.receipts:
            db.receipts[receipt.topic, receipt.partition, receipt.offset] = receipt
            if receipt.reason is not None:
                number = len(db.quarantine) + 1
                db.quarantine[number] = _quarantined(number, receipt)
        db.seen.update(_claimed(batch.receipts))
        for settlement in batch.settlements:
            self._settle(settlement)
        for partition, offset in batch.positions.items():
            db.positions[partition] = max(offset, db.positions.get(partition, 0))
        if batch.tracking:
            db.tracking[batch.tracking.name] = batch.tracking.position
        if batch.cases:
            for event_id in batch.cases.closed:
                db.cases.pop((batch.cases.process, event_id), None)
            db.cases.update({(batch.cases.process, case.event_id): case for case in batch.cases.noted})

    def _settle(self, s: Settlement) -> None:
        row = self._db.quarantine[s.quarantine_id]
        self._db.quarantine[s.quarantine_id] = row._replace(
            status=s.status, actor=s.actor, note=s.note, settled_at=s.settled_at
        )
        if s.status is QuarantineStatus.RETRIED:
            place = (row.topic, row.partition, row.offset)
            self._db.receipts[place] = self._db.receipts[place]._replace(outcome=Outcome.APPLIED)


class MemoryInbox:
    """The `Inbox` port in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset to go on from for each partition."""
        return dict(self._db.positions)

    def seen(self, message_ids: Collection[str]) -> set[str]:
        """Return those ids that were received before."""
        return self._db.seen.intersection(message_ids)

    def balance(self, source: str | None = None) -> Balance:
        """Count what was received and what became of it."""
        counted = Counter(
            r.outcome
            for r in self._db.receipts.values()
            if source is None or (r.message_id or "").startswith(f"{source} ")
        )
        outcomes = (Outcome.APPLIED, Outcome.DUPLICATE, Outcome.QUARANTINED)
        return Balance(counted.total(), *(counted[outcome] for outcome in outcomes))

    def waiting(self) -> dict[str, int]:
        """Count the messages open in quarantine by the code of their reason."""
        return dict(Counter(q.code for q in self._db.quarantine.values() if q.status is QuarantineStatus.OPEN))

    def quarantine(
        self,
        ids: Sequence[int] = (),
        *,
        status: QuarantineStatus | None = None,
        code: str | None = None,
        limit: int | None = None,
    ) -> list[Quarantined]:
        """Return quarantined messages in the order they were received."""
        return [
            q
            for number, q in sorted(self._db.quarantine.items())
            if (not ids or number in ids) and status in (None, q.status) and code in (None, q.code)
        ][:limit]

    def payloads(self, quarantine_ids: Collection[int]) -> dict[int, bytes]:
        """Return the payloads of quarantined messages by id."""
        chosen = {number: self._db.quarantine[number] for number in quarantine_ids if number in self._db.quarantine}
        return {number: self._db.receipts[q.topic, q.partition, q.offset].payload for number, q in chosen.items()}


class MemoryCaseBook:
    """The `CaseBook` port in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def cases(
        self, process: str, status: CaseStatus | None = None, *, after: int = 0, limit: int | None = None
    ) -> list[Case]:
        """Return a process's cases in the order of the log."""
        with self._db.lock:
            found = [c for c in self._db.cases.values() if c.process == process and c.position > after]
        wanted = (c for c in found if status in (None, c.status))
        return sorted(wanted, key=lambda c: (c.position, c.event_id))[:limit]

    def counts(self, process: str) -> Mapping[CaseStatus, int]:
        """Count a process's cases."""
        counted = Counter(case.status for case in self.cases(process))
        return {status: counted[status] for status in CaseStatus}


class MemoryQuarantineFeed:
    """The `QuarantineFeed` port in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    def pending(self, limit: int) -> list[int]:
        """Return ids of quarantined messages that were not handed on."""
        return sorted(self._db.quarantine.keys() - self._db.handed_on)[:limit]

    def pending_count(self) -> int:
        """Count the messages that were not handed on."""
        return len(self._db.quarantine.keys() - self._db.handed_on)

    def mark(self, quarantine_ids: Collection[int]) -> None:
        """Note that messages were handed on."""
        self._db.handed_on.update(quarantine_ids)


def _claimed(receipts: Sequence[Receipt]) -> list[str]:
    return [r.message_id for r in receipts if r.message_id and r.outcome is not Outcome.DUPLICATE]


def _quarantined(number: int, r: Receipt) -> Quarantined:
    assert r.reason is not None
    return Quarantined(
        number,
        QuarantineStatus.OPEN,
        r.reason.code,
        r.reason.detail,
        r.source,
        r.topic,
        r.partition,
        r.offset,
        r.key,
        r.stream_id,
        r.message_id,
        len(r.payload),
        r.received_at,
        None,
        None,
        None,
    )
