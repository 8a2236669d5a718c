"""What every message stream promises, held against each adapter."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.kafka.message_stream import KafkaMessageStream
from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.topic_log import PostgresTopicLog
from application.aggregates import TOPICS
from application.continued_log import ContinuedLog
from application.ports.message_stream import POLL_BYTES, MessageStream, OutgoingMessage, Partition, ReceivedMessage
from tests.kafka_topics import fresh_topics

Start = Mapping[Partition, int]
CONTINUED_AT = 100
PATIENCE = 20.0
"""Seconds within which a message that is there must come."""


@pytest.fixture(params=["memory", "continued", "postgres", "kafka"])
def stream(request: pytest.FixtureRequest) -> Iterator[MessageStream]:
    if request.param == "memory":
        yield MemoryMessageStream(TOPICS)
        return
    if request.param == "continued":
        memory = MemoryMessageStream(TOPICS)
        yield ContinuedLog(memory, dict.fromkeys(memory.ends(), CONTINUED_AT))
        return
    if request.param == "kafka":
        with fresh_topics() as connection:
            kafka = KafkaMessageStream(connection)
            yield kafka
            kafka.close()
        return
    conninfo = request.getfixturevalue("conninfo")
    with open_pool(conninfo) as pool:
        log = PostgresTopicLog(pool, conninfo)
        yield log
        log.close()


def messages(count: int, topic: str = "orders", keys: int = 7) -> list[OutgoingMessage]:
    return [OutgoingMessage(topic, f"key-{n % keys}", f"{topic}-{n}".encode()) for n in range(count)]


@pytest.fixture
def start(stream: MessageStream) -> Start:
    """Where each partition begins, as nothing was published yet."""
    return stream.ends()


def drain(stream: MessageStream, start: Start, limit: int = 100) -> list[ReceivedMessage]:
    """Everything from `start` to the ends, and nothing after it."""
    due = sum(end - start[partition] for partition, end in stream.ends().items())
    received: list[ReceivedMessage] = []
    while len(received) < due:
        batch = stream.poll(limit, PATIENCE)
        assert 0 < len(batch) <= limit
        received += batch
    assert stream.poll(limit, 0) == []
    return received


def test_every_message_is_polled_once_with_its_bytes(stream: MessageStream, start: Start) -> None:
    sent = messages(500) + messages(300, "shipments")
    stream.publish(sent)
    received = drain(stream, start)
    assert sorted(m.payload for m in received) == sorted(m.payload for m in sent)
    assert {(m.topic, m.key, m.payload) for m in received} == set(sent)


def test_messages_of_a_key_keep_their_order_and_their_partition(stream: MessageStream, start: Start) -> None:
    stream.publish(messages(100))
    stream.publish(messages(100))
    by_key: dict[str | None, list[ReceivedMessage]] = {}
    for message in drain(stream, start, 33):
        by_key.setdefault(message.key, []).append(message)
    assert len(by_key) == 7
    for number in range(7):
        group = by_key[f"key-{number}"]
        assert len({m.partition for m in group}) == 1
        assert [m.payload for m in group] == [m.payload for m in messages(100) if m.key == f"key-{number}"] * 2
        assert [m.offset for m in group] == sorted(m.offset for m in group)


def test_seek_goes_on_from_the_given_offsets_and_from_the_start_elsewhere(stream: MessageStream, start: Start) -> None:
    stream.publish(messages(50))
    whole = drain(stream, start)
    seen = [m for m in whole if m.partition == whole[0].partition]
    half = seen[: len(seen) // 2]
    further = {Partition("orders", whole[0].partition): half[-1].offset + 1}
    stream.seek(further)
    assert sorted(drain(stream, {**start, **further})) == sorted(m for m in whole if m not in half)


def test_ends_are_where_the_next_messages_go(stream: MessageStream, start: Start) -> None:
    assert set(start.values()) == {CONTINUED_AT if isinstance(stream, ContinuedLog) else 0}
    assert {p.topic for p in stream.ends()} == set(TOPICS)
    stream.publish(messages(40))
    received = drain(stream, start)
    for partition, end in stream.ends().items():
        offsets = [m.offset for m in received if (m.topic, m.partition) == partition]
        assert end == max(offsets, default=start[partition] - 1) + 1


def test_what_is_published_can_be_read_to_its_end_by_the_one_reader(stream: MessageStream, start: Start) -> None:
    assert stream.readable() == start
    stream.publish(messages(20))
    assert stream.readable() == stream.ends()
    assert len(drain(stream, start)) == 20
    assert all(stream.is_read_here(partition) for partition in start)


@pytest.mark.parametrize(("key", "payload"), [(3, 900_000), (900_000, 3)])
def test_few_large_messages_come_at_a_time(stream: MessageStream, key: int, payload: int) -> None:
    large = [OutgoingMessage("orders", "k" * key, bytes([n]) * payload) for n in range(60)]
    for n in range(0, len(large), 10):
        stream.publish(large[n : n + 10])
    received: list[ReceivedMessage] = []
    while len(received) < len(large):
        batch = stream.poll(1_000, PATIENCE)
        assert 0 < sum(len(m.payload) + len(m.key or "") for m in batch) <= 2 * POLL_BYTES
        received += batch
    assert [m.payload for m in received] == [m.payload for m in large]


def test_poll_wakes_when_a_message_is_published(stream: MessageStream) -> None:
    assert stream.poll(10, 0) == []
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(stream.poll, 10, 30)
        stream.publish(messages(1))
        assert [m.payload for m in waiting.result(PATIENCE)] == [b"orders-0"]


def test_publishers_side_by_side_lose_nothing(stream: MessageStream, start: Start) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: stream.publish(messages(50)), range(16)))
    received = drain(stream, start)
    assert len(received) == 800
    assert len({(m.topic, m.partition, m.offset) for m in received}) == 800
