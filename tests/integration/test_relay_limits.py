"""The relay where an event is too large for its topic: it is named, nothing overtakes it, and it goes out later."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from application.ports.event_store import Batch, NewEvent
from application.ports.message_stream import OutgoingMessage, OversizedMessageError
from application.relay import LARGE_BYTES, Relay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Topic:
    """Takes messages of up to a size; like a broker, it keeps others that are sent beside one that it refuses."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: list[str] = []

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        fitting = [message for message in messages if len(message.payload) <= self.most]
        self.kept += [msgspec.json.decode(message.payload)["id"] for message in fitting]
        for message in messages:
            if message not in fitting:
                raise OversizedMessageError("the topic takes less: raise its limit", message)


def event(version: int, size: int) -> NewEvent:
    meta = {"recorded_at": NOW, "causation_id": "m", "correlation_id": "c", "source": "orders/0@1"}
    state = msgspec.json.encode({"meta": meta, "data": {"text": "x" * size}})
    return NewEvent("order-1", version, "Noted.v1", state)


def test_an_oversized_event_is_named_and_no_later_event_goes_out_before_it() -> None:
    store, topic = MemoryEventStore(MemoryDatabase()), Topic(LARGE_BYTES * 2)
    sizes = [10, LARGE_BYTES, 10, 2 * LARGE_BYTES, 10, 10]
    store.append(Batch(events=[event(n, size) for n, size in enumerate(sizes, 1)]))
    relay = Relay(store, topic)
    for _ in range(2):
        with pytest.raises(OversizedMessageError, match=r"^event order-1:4 at position 4 can't go out: .* raise"):
            relay.run()
    assert set(topic.kept) == {"order-1:1", "order-1:2", "order-1:3"}
    assert relay.checkpoint() == 2
    topic.most *= 2
    topic.kept.clear()
    assert relay.run() == 4
    assert topic.kept == [f"order-1:{n}" for n in range(3, 7)]
