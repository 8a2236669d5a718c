"""What an observer of ingest hears."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore, MemoryInbox
from adapters.memory.message_stream import MemoryMessageStream
from application.aggregates import TOPICS
from application.ingest.messages import encode_command
from application.ingest.observer import BatchReport
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Outcome
from application.ports.message_stream import OutgoingMessage, Partition
from domain.inventory.commands import ReceiveStock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Listener:
    def __init__(self) -> None:
        self.turns = 0
        self.batches: list[BatchReport] = []

    def turned(self) -> None:
        self.turns += 1

    def committed(self, batch: BatchReport) -> None:
        self.batches.append(batch)


def received(number: int) -> OutgoingMessage:
    command = ReceiveStock(product_id="p1", location_id="main", occurred_at=NOW, quantity=1)
    return encode_command(command, message_id=str(number), source="test")


def taken_in(messages: list[OutgoingMessage], batch_size: int) -> tuple[Listener, Ingest, MemoryDatabase]:
    database, stream, listener = MemoryDatabase(), MemoryMessageStream(TOPICS), Listener()
    stream.publish(messages)
    settings = IngestSettings(batch_size, poll_seconds=0)
    ingest = Ingest(MemoryEventStore(database), MemoryInbox(database), stream, lambda: NOW, settings, observer=listener)
    assert sum(ingest.lag().values()) == ingest.behind() == len(messages)
    ingest.catch_up()
    assert set(ingest.lag().values()) == {0}
    return listener, ingest, database


def test_each_committed_batch_is_reported_with_outcomes_events_and_positions() -> None:
    broken = received(3)._replace(payload=b"{")
    listener, _, database = taken_in([received(1), received(1), received(2), broken], batch_size=3)
    outcomes = [[receipt.outcome for receipt in batch.receipts] for batch in listener.batches]
    assert outcomes == [[Outcome.APPLIED, Outcome.DUPLICATE, Outcome.APPLIED], [Outcome.QUARANTINED]]
    assert [tuple(batch.balance) for batch in listener.batches] == [(3, 2, 1, 0), (1, 0, 0, 1)]
    assert [batch.events for batch in listener.batches] == [2, 0]
    assert dict(listener.batches[-1].positions) == database.positions
    assert listener.turns > len(listener.batches)


def test_the_steps_of_a_batch_follow_each_other() -> None:
    listener, _, _ = taken_in([received(1), received(2)], batch_size=1)
    for batch in listener.batches:
        assert [step.name for step in batch.steps] == ["decode", "decide", "append"]
        readings = [reading for step in batch.steps for reading in (step.began, step.ended)]
        assert readings == sorted(readings)


def test_lag_is_counted_per_partition() -> None:
    database, stream = MemoryDatabase(), MemoryMessageStream(TOPICS)
    ingest = Ingest(MemoryEventStore(database), MemoryInbox(database), stream, lambda: NOW)
    stream.publish([received(1), received(2)])
    lag = ingest.lag()
    assert sorted(lag.values())[-1] == 2
    assert {place for place, count in lag.items() if count} <= {Partition("inventory", n) for n in range(64)}
    assert sum(lag.values()) == 2
