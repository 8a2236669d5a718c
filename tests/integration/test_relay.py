"""The relay on memory and on PostgreSQL: every event goes out, in order for each stream, with a stable id."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import psycopg
import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.topic_log import PostgresTopicLog
from application import codec
from application.codec import UndecodableEventError
from application.ports.event_store import Batch, EventStore, NewEvent
from application.ports.message_stream import MessageStream, StreamUnavailableError
from application.relay import RELAY_TOPIC, Relay
from domain.order.events import OrderClosed, OrderReleased
from entrypoints.monitoring.relaying import relay
from entrypoints.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Sides = tuple[EventStore, MessageStream]


@pytest.fixture(params=["memory", "postgres"])
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    if request.param == "memory":
        yield MemoryEventStore(MemoryDatabase()), MemoryMessageStream([RELAY_TOPIC])
        return
    conninfo = request.getfixturevalue("conninfo")
    with open_pool(conninfo) as pool:
        store, stream = PostgresEventStore(conninfo), PostgresTopicLog(pool, conninfo, [RELAY_TOPIC])
        yield store, stream
        store.close()
        stream.close()


def stored(stream_id: str, version: int) -> NewEvent:
    event = OrderReleased(occurred_at=NOW) if version == 1 else OrderClosed(occurred_at=NOW)
    metadata = codec.Metadata(NOW, "s/1", "order-7", "orders/0@1")
    return NewEvent(stream_id, version, event.TOPIC, codec.encode(event, metadata))


def received(stream: MessageStream) -> list[dict[str, Any]]:
    messages = []
    while batch := stream.poll(100, 0):
        assert {m.topic for m in batch} == {RELAY_TOPIC}
        messages += [msgspec.json.decode(m.payload) | {"key": m.key} for m in batch]
    return messages


def test_an_event_goes_out_with_its_id_position_and_origin(sides: Sides) -> None:
    store, stream = sides
    store.append(Batch(events=[stored("order-7", 1)]))
    assert Relay(store, stream).run() == 1
    [message] = received(stream)
    assert message == {
        "specversion": "1.0",
        "id": "order-7:1",
        "source": "dataflow",
        "type": "dataflow.OrderReleased.v1",
        "subject": "order-7",
        "key": "order-7",
        "position": store.head(),
        "version": 1,
        "recordedat": "2026-03-01T12:00:00+00:00",
        "causationid": "s/1",
        "correlationid": "order-7",
        "origin": "orders/0@1",
        "datacontenttype": "application/json",
        "data": {"occurred_at": "2026-03-01T12:00:00Z"},
    }


def test_every_event_goes_out_once_in_the_order_of_its_stream(sides: Sides) -> None:
    store, stream = sides
    store.append(Batch(events=[stored(f"order-{n}", 1) for n in range(50)]))
    store.append(Batch(events=[stored(f"order-{n}", 2) for n in range(50)]))
    assert Relay(store, stream, batch_size=7).run() == 100
    assert Relay(store, stream).run() == 0
    by_stream: dict[str, list[int]] = {}
    for message in received(stream):
        by_stream.setdefault(message["subject"], []).append(message["version"])
    assert by_stream == {f"order-{n}": [1, 2] for n in range(50)}


def test_a_relay_that_ends_before_its_checkpoint_sends_again_with_the_same_ids(sides: Sides) -> None:
    store, stream = sides
    store.append(Batch(events=[stored("order-1", 1), stored("order-1", 2)]))

    class EndsAfterPublishing:
        def __getattr__(self, name: str) -> Any:
            return getattr(stream, name)

        def publish(self, messages: Any) -> None:
            stream.publish(messages)
            raise StreamUnavailableError("the acknowledgement was lost")

    with pytest.raises(StreamUnavailableError):
        Relay(store, EndsAfterPublishing()).step()
    assert Relay(store, stream).run() == 2
    assert [m["id"] for m in received(stream)] == ["order-1:1", "order-1:2"] * 2


def test_an_event_that_is_not_json_stops_the_relay_and_is_named(sides: Sides) -> None:
    store, stream = sides
    store.append(
        Batch(events=[stored("order-1", 1), NewEvent("order-2", 1, "OrderClosed.v1", b"{"), stored("order-3", 1)])
    )
    for _ in range(2):
        with pytest.raises(UndecodableEventError, match="order-2:1"):
            Relay(store, stream).run()
    assert [m["id"] for m in received(stream)] == ["order-1:1"]


def test_a_relay_that_another_one_overtook_goes_on(conninfo: str, tmp_path: Path) -> None:
    """As where the connection that held its role ended while it published."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    sent, stop, deadline = list[int](), Event(), time.monotonic() + 30
    with (
        closing(PostgresEventStore(conninfo)) as store,
        psycopg.connect(conninfo, autocommit=True) as watching,
        psycopg.connect(conninfo) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        store.append(Batch([stored("a", 1), stored("a", 2)]))
        other.execute("INSERT INTO events.notification_tracking VALUES ('relay', 2)")
        relaying = thread.submit(relay, Settings(tmp_path, conninfo), stop, sent.append, once=False)
        try:
            while watching.execute(waits).fetchone() != (1,):
                assert time.monotonic() < deadline
            other.commit()
            store.append(Batch([stored("b", 1)]))
            while store.checkpoint("relay") < 3 and not relaying.done():
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            stop.set()
        relaying.result()
    assert sum(sent) == 1
