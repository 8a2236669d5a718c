"""What ends by itself takes in what could be read when it began, whoever goes on publishing or taking in beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event

import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore, MemoryInbox
from adapters.memory.message_stream import MemoryMessageStream
from application.aggregates import TOPICS
from application.ingest.goal import Goal
from application.ingest.messages import encode_command
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Balance
from application.ports.message_stream import OutgoingMessage, Partition, ReceivedMessage, StreamUnavailableError
from domain.inventory.commands import ReceiveStock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = 0.05


def stock(number: int) -> OutgoingMessage:
    command = ReceiveStock(product_id=f"p{number}", location_id="main", occurred_at=NOW, quantity=1)
    return encode_command(command, message_id=str(number), source="test")


def ingest_of(stream: MemoryMessageStream, database: MemoryDatabase, batch_size: int = 10) -> Ingest:
    settings = IngestSettings(batch_size, poll_seconds=0.001, patience_seconds=PATIENCE)
    return Ingest(MemoryEventStore(database), MemoryInbox(database), stream, lambda: NOW, settings)


class Busy(MemoryMessageStream):
    """A stream on which another message comes whenever one is polled."""

    polled = 0

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        self.polled += 1
        assert self.polled < 1_000, "it does not end"
        self.publish([stock(self.polled)])
        return super().poll(limit, timeout)


def test_what_is_published_later_lies_beyond_the_goal() -> None:
    stream = MemoryMessageStream(["inventory"], partitions=1)
    place, positions = Partition("inventory", 0), dict[Partition, int]()
    stream.publish([stock(1), stock(2), stock(3)])
    goal = Goal(stream, lambda: positions)
    stream.publish([stock(4), stock(5)])
    assert goal.left() == 3
    positions[place] = 2
    assert goal.left() == 1
    positions[place] = 4
    assert goal.left() == 0
    received = [ReceivedMessage("inventory", 0, offset, None, b"") for offset in range(5)]
    assert goal.is_passed_by([])
    assert goal.is_passed_by(received[3:])
    assert not goal.is_passed_by(received[2:])


def test_it_ends_while_somebody_goes_on_publishing() -> None:
    stream, database = Busy(TOPICS), MemoryDatabase()
    stream.publish([stock(number) for number in range(10_000, 10_095)])
    ingest = ingest_of(stream, database)
    taken = ingest.catch_up()
    assert 95 <= taken.received < 200
    assert taken.applied == taken.received


class Marked(Busy):
    """A busy stream with a partition that ends with the mark of a transaction."""

    def passed(self) -> dict[Partition, int]:
        return {Partition("orders", 0): 2}


def test_positions_move_beyond_what_nobody_can_read_while_messages_come_all_the_time() -> None:
    stream, database, stop = Marked(TOPICS), MemoryDatabase(), Event()

    def taken(_: Balance) -> None:
        if Partition("orders", 0) in database.positions:
            stop.set()

    ingest_of(stream, database).run(stop, taken)
    assert database.positions[Partition("orders", 0)] == 2
    assert len(database.receipts) == stream.polled


class Elsewhere(MemoryMessageStream):
    """A stream that another consumer takes in, as slowly as one message a poll, or not at all."""

    def __init__(self, database: MemoryDatabase, step: int) -> None:
        super().__init__(TOPICS, partitions=1)
        self._database = database
        self._step = step

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        place = Partition("inventory", 0)
        super().poll(0, 2 * timeout)
        self._database.positions[place] = self._database.positions.get(place, 0) + self._step
        return []


def test_it_waits_for_another_consumer_as_long_as_that_goes_on() -> None:
    database = MemoryDatabase()
    stream = Elsewhere(database, step=1)
    stream.publish([stock(number) for number in range(60)])
    assert ingest_of(stream, database).catch_up() == Balance(0, 0, 0, 0)


def test_it_does_not_wait_for_ever_for_what_nobody_takes_in() -> None:
    database = MemoryDatabase()
    stream = Elsewhere(database, step=0)
    stream.publish([stock(number) for number in range(60)])
    with pytest.raises(StreamUnavailableError, match="60 messages are in the stream, but none of them arrives"):
        ingest_of(stream, database).catch_up()
