"""Kafka, for real: what is published and how, where reading goes on, and who reads what when consumers come and go."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Condition, Event
from time import sleep
from typing import Any

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from adapters.kafka import log_offsets, message_stream, topic_ids
from adapters.kafka.connection import KafkaConnection
from adapters.kafka.dead_letters import DeadLetters
from adapters.kafka.errors import KafkaSettingsError, PositionLostError
from adapters.kafka.log_offsets import Place
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.producer import Publisher
from adapters.kafka.topics import DEAD_LETTER, MAX_MESSAGE_BYTES, compacted_topics, ensure_topics, log_identity
from adapters.kafka.topics import TOPICS as KAFKA_TOPICS
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.aggregates import TOPICS
from application.ingest.messages import encode_command
from application.ingest.service import Ingest, IngestSettings
from application.ports.event_store import Batch, ConcurrencyConflictError, StoreUnavailableError
from application.ports.inbox import Balance, Quarantined, QuarantineStatus
from application.ports.message_stream import (
    POLL_BYTES,
    OutgoingMessage,
    OversizedMessageError,
    Partition,
    ReceivedMessage,
    StreamUnavailableError,
)
from domain.inventory.commands import ReceiveStock
from tests.kafka_topics import PARTITIONS, commit, fresh_topics, recreate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = 30.0


@pytest.fixture
def connection() -> Iterator[KafkaConnection]:
    with fresh_topics() as connection:
        yield connection


@pytest.fixture
def stream(connection: KafkaConnection) -> Iterator[KafkaMessageStream]:
    with closing(KafkaMessageStream(connection)) as stream:
        yield stream


def everywhere(count: int, first: int = 0) -> list[OutgoingMessage]:
    return [message._replace(topic=TOPICS[n % len(TOPICS)]) for n, message in enumerate(orders(count, first))]


def orders(count: int, first: int = 0) -> list[OutgoingMessage]:
    return [OutgoingMessage("orders", f"key-{n}", str(n).encode()) for n in range(first, first + count)]


def take(stream: KafkaMessageStream, count: int, limit: int = 100) -> list[ReceivedMessage]:
    received: list[ReceivedMessage] = []
    while len(received) < count:
        batch = stream.poll(limit, PATIENCE)
        assert batch
        received += batch
    return received


def after(messages: list[ReceivedMessage]) -> dict[Partition, int]:
    return {Partition(m.topic, m.partition): m.offset + 1 for m in sorted(messages)}


@contextmanager
def raw_producer(connection: KafkaConnection) -> Iterator[Producer]:
    producer = Producer({"bootstrap.servers": connection.bootstrap})
    yield producer
    assert producer.flush(PATIENCE) == 0


@contextmanager
def raw_consumer(connection: KafkaConnection, topic: str) -> Iterator[Consumer]:
    consumer = Consumer({"bootstrap.servers": connection.bootstrap, "group.id": "raw", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(connection.topic_prefix + topic, n, 0) for n in range(PARTITIONS)])
    with closing(consumer):
        yield consumer


def raw_message(connection: KafkaConnection, topic: str) -> Message:
    with raw_consumer(connection, topic) as consumer:
        [message] = consumer.consume(1, PATIENCE)
    return message


def test_topics_exist_with_what_is_stated_and_are_created_once(connection: KafkaConnection) -> None:
    admin = connection.admin()
    ensure_topics(admin, connection.topic_prefix)
    for topic in KAFKA_TOPICS:
        resource = ConfigResource(ResourceType.TOPIC, connection.topic_prefix + topic.name)
        [described] = admin.describe_configs([resource]).values()
        found = {name: entry.value for name, entry in described.result(PATIENCE).items()}
        assert found.items() >= topic.config().items()
        assert (
            len(admin.list_topics(connection.topic_prefix + topic.name).topics[resource.name].partitions) == PARTITIONS
        )


def test_topics_whose_settings_may_not_be_seen_pass_for_sound(
    connection: KafkaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = connection.admin()
    assert compacted_topics(admin, connection.topic_prefix) == []

    def answers(code: int) -> None:
        def refused(_: AdminClient, resources: list[ConfigResource], **__: object) -> dict[ConfigResource, Future[Any]]:
            futures = {resource: Future[Any]() for resource in resources}
            for future in futures.values():
                future.set_exception(KafkaException(KafkaError(code)))
            return futures

        monkeypatch.setattr(AdminClient, "describe_configs", refused)

    answers(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert compacted_topics(admin, connection.topic_prefix) == []
    answers(KafkaError.REQUEST_TIMED_OUT)
    with pytest.raises(StreamUnavailableError):
        compacted_topics(admin, connection.topic_prefix)


def test_a_message_says_that_it_is_a_cloud_event(connection: KafkaConnection, stream: KafkaMessageStream) -> None:
    stream.publish(orders(1))
    message = raw_message(connection, "orders")
    assert message.headers() == [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    assert (message.key(), message.value()) == (b"key-0", b"0")


@pytest.mark.parametrize("key", [None, "", "key"])
def test_a_dead_letter_is_the_message_as_received_with_its_reason(connection: KafkaConnection, key: str | None) -> None:
    with closing(Publisher(connection)) as publisher:
        DeadLetters(publisher).publish([(broken(7)._replace(key=key), b"{no")])
    message = raw_message(connection, "dead-letter")
    assert (message.key(), message.value()) == (None if key is None else key.encode(), b"{no")
    assert dict(message.headers() or ()) == {
        "quarantine-id": b"7",
        "reason-code": b"InvalidJson",
        "reason-detail": b"not JSON",
        "source": b"orders/2@17",
        "origin": b"orders/2@17",
        "received-at": b"2026-03-01T12:00:00+00:00",
    }


def broken(number: int) -> Quarantined:
    place, nothing = ("orders", 2, 17), (None, None, None)
    why = ("InvalidJson", "not JSON", "orders/2@17")
    return Quarantined(number, QuarantineStatus.OPEN, *why, *place, *nothing, 3, NOW, *nothing)


@pytest.mark.parametrize("size", [4_000, MAX_MESSAGE_BYTES * 2], ids=["for the topic", "for the client"])
def test_a_dead_letter_that_is_too_large_holds_up_no_other(connection: KafkaConnection, size: int) -> None:
    recreate(connection, DEAD_LETTER, max_message_bytes=3_000)
    large = os.urandom(size)
    with closing(Publisher(connection)) as publisher:
        DeadLetters(publisher).publish([(broken(1), b"first"), (broken(2), large), (broken(3), b"third")])
    letters = dead_letters(connection, 3)
    assert letters == {b"1": (b"first", None), b"2": (b"", b"%d bytes" % size), b"3": (b"third", None)}


@pytest.mark.parametrize("payload", [b"", b"{no"])
def test_a_dead_letter_whose_key_is_too_large_holds_up_no_other(
    connection: KafkaConnection, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that is no text takes three times its bytes when it goes out, more than any topic takes."""
    large = broken(2)._replace(key="\ufffd" * (MAX_MESSAGE_BYTES // 2))
    with closing(Publisher(connection)) as publisher:
        DeadLetters(publisher).publish([(broken(1), b"first"), (large, payload), (broken(3), b"third")])
    with raw_consumer(connection, "dead-letter") as consumer:
        letters = consumer.consume(3, PATIENCE)
    found = {dict(each.headers() or ())["quarantine-id"]: each for each in letters}
    assert {number: each.value() for number, each in found.items()} == {b"1": b"first", b"2": b"", b"3": b"third"}
    headers = dict(found[b"2"].headers() or ())
    assert (found[b"2"].key(), headers["key-omitted"]) == (None, b"12582912 bytes")
    assert headers.get("payload-omitted") == (b"3 bytes" if payload else None)
    assert all(len(record.getMessage()) < 1_000 for record in caplog.records)


def test_a_dead_letter_whose_reason_is_too_large_waits_for_the_topics_limit(connection: KafkaConnection) -> None:
    recreate(connection, DEAD_LETTER, max_message_bytes=500)
    with closing(Publisher(connection)) as publisher, pytest.raises(OversizedMessageError, match="dead-letter"):
        DeadLetters(publisher).publish([(broken(1)._replace(detail=os.urandom(1_000).hex()), b"first")])


def test_dead_letters_that_are_too_large_together_keep_their_values(connection: KafkaConnection) -> None:
    """Brokers hold the limit against what travels together; clients fill it by a limit of their own."""
    recreate(connection, DEAD_LETTER, max_message_bytes=3_000)
    values = [os.urandom(1_000) for _ in range(20)]
    with closing(Publisher(connection)) as publisher:
        DeadLetters(publisher).publish([(broken(n), value) for n, value in enumerate(values)])
    assert dead_letters(connection, 20) == {b"%d" % n: (value, None) for n, value in enumerate(values)}


def dead_letters(connection: KafkaConnection, count: int) -> dict[bytes, tuple[bytes | None, bytes | None]]:
    """Return the value of each dead letter, and what is said where it was left out."""
    letters: dict[bytes, tuple[bytes | None, bytes | None]] = {}
    with raw_consumer(connection, "dead-letter") as consumer:
        while len(letters) < count:
            [message] = consumer.consume(1, PATIENCE)
            headers = dict(message.headers() or ())
            letters[headers["quarantine-id"]] = (message.value(), headers.get("payload-omitted"))
    return letters


def test_a_key_goes_to_the_partition_that_other_clients_choose_too(
    connection: KafkaConnection, stream: KafkaMessageStream
) -> None:
    stream.publish(orders(50))
    chosen = {m.key: m.partition for m in take(stream, 50)}
    assert chosen == {f"key-{n}": murmur2(f"key-{n}".encode()) % PARTITIONS for n in range(50)}


def murmur2(data: bytes) -> int:
    """The hash of the Java client's default partitioner, its sign bit cleared."""
    mask = 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * 0x5BD1E995 & mask
        k = (k ^ k >> 24) * 0x5BD1E995 & mask
        h = (h * 0x5BD1E995 & mask) ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * 0x5BD1E995 & mask
    h = (h ^ h >> 13) * 0x5BD1E995 & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


def test_an_oversized_message_is_refused_by_name_and_nothing_is_published(stream: KafkaMessageStream) -> None:
    large = OutgoingMessage("orders", "large", b"x" * MAX_MESSAGE_BYTES)
    with pytest.raises(OversizedMessageError, match="'large' for orders has 8,388,613 bytes, at most 8,387,584"):
        stream.publish([*orders(3), large])
    assert set(stream.ends().values()) == {0}


def test_the_largest_message_travels(stream: KafkaMessageStream) -> None:
    large = OutgoingMessage("orders", "large", b"x" * (MAX_MESSAGE_BYTES - 2_000))
    stream.publish([large])
    assert take(stream, 1)[0].payload == large.payload


@contextmanager
def small_topic(connection: KafkaConnection, max_message_bytes: int) -> Iterator[str]:
    """A topic `small` with a limit of its own; gives its name on the brokers."""
    admin, name = connection.admin(), f"{connection.topic_prefix}small"
    admin.create_topics([NewTopic(name, 1, config={"max.message.bytes": str(max_message_bytes)})])[name].result(
        PATIENCE
    )
    yield name
    admin.delete_topics([name])[name].result(PATIENCE)


def test_a_topic_that_takes_less_than_stated_is_named_by_the_error(
    connection: KafkaConnection, stream: KafkaMessageStream
) -> None:
    refused = (
        r"'k' for small has 5,001 bytes, which the brokers refuse: raise max\.message\.bytes of the topic \S+small"
    )
    with small_topic(connection, 1_000), pytest.raises(OversizedMessageError, match=refused):
        stream.publish([OutgoingMessage("small", "k", os.urandom(5_000))])


def test_a_topic_of_a_smaller_limit_takes_many_small_messages(
    connection: KafkaConnection, stream: KafkaMessageStream
) -> None:
    with small_topic(connection, 262_144) as small:
        stream.publish([OutgoingMessage("small", "k", os.urandom(1_000)) for _ in range(3_000)])
        assert log_offsets.read_offsets(connection.admin(), [(small, 0)], log_offsets.LATEST) == {(small, 0): 3_000}


@pytest.fixture
def nobody() -> KafkaConnection:
    return KafkaConnection("127.0.0.1:1", "group", properties={"delivery.timeout.ms": "300", "linger.ms": "0"})


def test_messages_that_no_broker_acknowledges_are_an_error(nobody: KafkaConnection) -> None:
    with (
        closing(KafkaMessageStream(nobody)) as stream,
        pytest.raises(StreamUnavailableError, match="2 of 2 messages were not acknowledged"),
    ):
        stream.publish(orders(2))


def test_brokers_that_do_not_answer_are_an_error(nobody: KafkaConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_offsets, "_SECONDS", 0.3)
    with closing(KafkaMessageStream(nobody)) as stream, pytest.raises(StreamUnavailableError, match="Kafka"):
        stream.ends()


def test_what_exactly_once_rests_on_can_not_be_set() -> None:
    with pytest.raises(KafkaSettingsError, match=r"enable\.auto\.commit can't be set"):
        KafkaConnection("b:1", "g", properties={"enable.auto.commit": "true"})


@pytest.mark.parametrize("name", ["transactional.id", "default.topic.config", "metadata.broker.list"])
def test_what_would_keep_the_platform_from_sending_or_go_round_its_settings_can_not_be_set(name: str) -> None:
    with pytest.raises(KafkaSettingsError, match=f"{re.escape(name)} can't be set"):
        KafkaConnection("b:1", "g", properties={name: "x"})


def test_an_unknown_property_is_named_and_no_secret_is_shown() -> None:
    connection = KafkaConnection("b:1", "g", properties={"sasl.pasword": "hunter2"})
    with pytest.raises(KafkaSettingsError, match=r'"sasl\.pasword"') as error:
        KafkaMessageStream(connection)
    assert "hunter2" not in f"{connection!r} {error.value}"


def test_foreign_keys_and_missing_values_can_be_kept(connection: KafkaConnection, stream: KafkaMessageStream) -> None:
    with raw_producer(connection) as producer:
        for key, value in [(b"a\0b", b"1"), (b"\xff", b"2"), (None, b"3"), (b"none", None)]:
            producer.produce(f"{connection.topic_prefix}orders", value, key, partition=0)
    assert [(m.key, m.payload) for m in take(stream, 4)] == [
        ("a\ufffdb", b"1"),
        ("\ufffd", b"2"),
        (None, b"3"),
        ("none", b""),
    ]


@pytest.mark.parametrize("topics", [None, ["orders"]])
def test_few_messages_with_large_headers_come_at_a_time(connection: KafkaConnection, topics: list[str] | None) -> None:
    each, count = 900_000, 50
    with raw_producer(connection) as producer, closing(KafkaMessageStream(connection, topics=topics)) as stream:
        for n in range(count):
            producer.produce(f"{connection.topic_prefix}orders", str(n), partition=0, headers={"x": b"x" * each})
            producer.flush(PATIENCE)
        received = take(stream, 1, limit=1)
        # The client fetches the others meanwhile.
        sleep(1.0)
        while len(received) < count:
            batch = stream.poll(1_000, PATIENCE)
            assert 0 < len(batch) * each <= 2 * POLL_BYTES
            received += batch
    assert [m.payload for m in received] == [str(n).encode() for n in range(count)]


def test_a_seek_before_the_first_poll_counts(stream: KafkaMessageStream) -> None:
    stream.publish(orders(30))
    ends = stream.ends()
    stream.seek({partition: max(0, end - 1) for partition, end in ends.items()})
    assert after(take(stream, PARTITIONS)) == {p: end for p, end in ends.items() if end}


def test_recorded_positions_count_and_not_the_groups_offsets(connection: KafkaConnection) -> None:
    with closing(KafkaMessageStream(connection)) as first:
        first.publish(orders(30))
        received = take(first, 30)
        first.acknowledge(after(received))
        await_offsets(connection, first, after(received))
    recorded = {Partition("orders", n): 2 for n in range(PARTITIONS)}
    with closing(KafkaMessageStream(connection, lambda: recorded)) as second:
        assert sorted(take(second, 30 - 2 * PARTITIONS)) == [m for m in sorted(received) if m.offset >= 2]


def await_offsets(connection: KafkaConnection, stream: KafkaMessageStream, positions: Mapping[Partition, int]) -> None:
    """Wait until the group shows the offsets; every poll is a moment's wait."""
    admin = connection.admin()
    wanted = {(connection.topic_prefix + topic, number): offset for (topic, number), offset in positions.items()}
    for _ in range(200):
        [group] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(connection.group)]).values()
        shown = {(p.topic, p.partition): p.offset for p in group.result(PATIENCE).topic_partitions}
        if shown.items() >= wanted.items():
            return
        stream.poll(1, 0)
    pytest.fail(f"the group shows {shown}, not {wanted}")


def test_a_position_beyond_the_end_stops_with_its_name(connection: KafkaConnection) -> None:
    with (
        closing(KafkaMessageStream(connection, lambda: {Partition("orders", 1): 7})) as stream,
        pytest.raises(PositionLostError, match=r"position of \S*orders/1 is 7, but its log ends at 0"),
    ):
        take(stream, 1)


def test_messages_that_retention_took_are_counted_aloud(
    connection: KafkaConnection, stream: KafkaMessageStream, caplog: pytest.LogCaptureFixture
) -> None:
    with raw_producer(connection) as producer:
        for n in range(10):
            producer.produce(f"{connection.topic_prefix}orders", str(n), partition=0)
    expire(connection, {Partition("orders", 0): 6})
    stream.seek({Partition("orders", 0): 2})
    assert [m.offset for m in take(stream, 4)] == [6, 7, 8, 9]
    assert "4 messages of" in caplog.text


def test_what_is_gone_of_a_partition_that_was_never_read_is_told_too(
    connection: KafkaConnection, stream: KafkaMessageStream, caplog: pytest.LogCaptureFixture
) -> None:
    prefix = connection.topic_prefix
    with raw_producer(connection) as producer:
        for topic, number in (("orders", 0), ("orders", 1), ("catalog", 2)):
            for n in range(10):
                producer.produce(f"{prefix}{topic}", str(n), partition=number)
    expire(connection, {Partition("orders", 1): 10, Partition("catalog", 2): 7})
    stream.seek({Partition("orders", 0): 2})
    assert len(take(stream, 11)) == 11
    told = [(record.levelname, record.getMessage()) for record in caplog.records if "gone" in record.getMessage()]
    assert sorted(told) == [
        ("ERROR", f"10 messages of {prefix}orders/1 are gone: retention ended before they were taken in"),
        ("WARNING", f"7 messages were gone before these were read for the first time: {prefix}catalog/2"),
    ]


def expire(connection: KafkaConnection, before: Mapping[Partition, int]) -> None:
    """Take messages away as retention does: those before the given offsets."""
    admin, prefix = connection.admin(), connection.topic_prefix
    places = [TopicPartition(prefix + topic, number, offset) for (topic, number), offset in before.items()]
    for future in admin.delete_records(places).values():
        future.result(PATIENCE)


@pytest.mark.parametrize("count", [5, 300], ids=["short of the positions", "beyond them"])
def test_a_topic_created_anew_stops_who_reads_it(
    connection: KafkaConnection, stream: KafkaMessageStream, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_ids, "_LOOK_SECONDS", 0.1)
    stream.publish(orders(30))
    take(stream, 30)
    recreate(connection, "orders")
    with closing(KafkaMessageStream(connection)) as anew:
        anew.publish(orders(count))
    with pytest.raises(PositionLostError, match="orders"):
        take(stream, count + 1)


def poll_often(stream: KafkaMessageStream) -> None:
    """Poll as a consumer does, which asks with one poll and sees the answer with a later one."""
    for _ in range(100):
        stream.poll(1, 0.05)


def test_reading_asks_for_the_ids_of_topics_between_placements(
    connection: KafkaConnection, stream: KafkaMessageStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_ids, "_LOOK_SECONDS", 0.0)
    stream.publish(orders(3))
    take(stream, 3)
    monkeypatch.setattr(topic_ids, "_found", lambda _: {f"{connection.topic_prefix}orders": "another"})
    with pytest.raises(PositionLostError, match="orders: deleted and created anew"):
        poll_often(stream)


def test_a_topic_created_anew_between_two_runs_stops_the_second(
    connection: KafkaConnection, stream: KafkaMessageStream
) -> None:
    stream.publish(orders(30))
    before, ids = after(take(stream, 30)), log_identity(connection.admin(), connection.topic_prefix).topics
    recreate(connection, "orders")
    with closing(KafkaMessageStream(connection, lambda: before, ids=ids)) as second:
        second.publish(orders(300))
        with pytest.raises(PositionLostError, match=r"orders: deleted and created anew.*dataflow switch-log"):
            take(second, 1)


def test_a_topic_that_was_deleted_is_told_and_is_no_lag_of_zero(
    connection: KafkaConnection,
    stream: KafkaMessageStream,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(topic_ids, "_LOOK_SECONDS", 0.1)
    stream.publish(orders(3))
    take(stream, 3)
    name = f"{connection.topic_prefix}orders"
    admin = connection.admin()
    admin.delete_topics([name])[name].result(PATIENCE)
    for _ in range(5):
        poll_often(stream)
        if "does not exist any more" in caplog.text:
            break
    assert caplog.text.count(f"{name} does not exist any more") == 1
    for ask in (stream.ends, stream.readable, lambda: stream.behind({})):
        with pytest.raises(StreamUnavailableError, match=rf"Kafka has no topic {name}$"):
            ask()
    ensure_topics(admin, connection.topic_prefix)


def test_a_topic_that_one_broker_does_not_know_yet_is_waited_for(
    stream: KafkaMessageStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, asked = log_offsets.partitions_of, []

    def late(admin: AdminClient, topics: Iterable[str]) -> list[Place]:
        asked.append(1)
        return places(admin, topics)[: -PARTITIONS if len(asked) < 3 else None]

    monkeypatch.setattr(message_stream, "partitions_of", late)
    assert set(stream.ends()) == {Partition(topic, n) for topic in TOPICS for n in range(PARTITIONS)}
    assert len(asked) == 3


def test_what_retention_takes_from_under_a_reader_is_counted_aloud(
    connection: KafkaConnection, stream: KafkaMessageStream, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"{connection.topic_prefix}orders"
    with raw_producer(connection) as producer:
        for _ in range(10):
            producer.produce(name, b"x" * 200_000, partition=0)
    received = take(stream, 1, limit=1)
    with raw_producer(connection) as producer:
        for _ in range(300):
            producer.produce(name, b"x" * 200_000, partition=0)
    expire(connection, {Partition("orders", 0): 305})
    while received[-1].offset < 309:
        received += take(stream, 1)
    offsets = [m.offset for m in received]
    missing = next(305 - offset - 1 for offset in reversed(offsets) if offset < 305)
    assert offsets == [*range(305 - missing), *range(305, 310)]
    assert missing > 100
    assert f"{missing} messages of {name}/0 are gone" in caplog.text


def test_reading_passes_what_nobody_can_read(connection: KafkaConnection, stream: KafkaMessageStream) -> None:
    """The mark that ends a transaction has an offset, but is no message; nor is what was given up."""
    name, at = f"{connection.topic_prefix}orders", Partition("orders", 0)
    producer = Producer({"bootstrap.servers": connection.bootstrap, "transactional.id": f"{name}-1"})
    producer.init_transactions(PATIENCE)
    for end in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        for n in range(3):
            producer.produce(name, str(n), partition=0)
        assert producer.flush(PATIENCE) == 0
        end(PATIENCE)
    assert after(take(stream, 3)) == {at: 3}
    assert stream.behind({at: 3})[at] == stream.ends()[at] - 3 == 5
    passed: dict[Partition, int] = {}
    for _ in range(100):
        assert stream.poll(100, 0) == []
        if passed := stream.passed():
            break
    assert passed == {at: 8}
    assert stream.behind(passed)[at] == 0
    assert stream.passed() == {}


def test_what_expired_unread_is_no_lag(connection: KafkaConnection, stream: KafkaMessageStream) -> None:
    stream.publish(orders(30))
    ends = stream.ends()
    expire(connection, {partition: end for partition, end in ends.items() if end})
    assert set(stream.behind({}).values()) == {0}
    assert stream.poll(100, PARTITIONS) == []
    assert stream.passed() == {partition: end for partition, end in ends.items() if end}


def test_lag_beyond_the_end_is_no_lag_of_zero(stream: KafkaMessageStream) -> None:
    with pytest.raises(PositionLostError, match=r"orders/1 is 7, but its log ends at 0"):
        stream.behind({Partition("orders", 1): 7})


class Overtaken(PostgresEventStore):
    """A store in which another writer is first once, where nothing but positions is moved."""

    overtaken = False

    def append(self, batch: Batch) -> None:
        if not batch.receipts and not self.overtaken:
            self.overtaken = True
            raise ConcurrencyConflictError("another writer was first")
        super().append(batch)


@pytest.mark.parametrize("kind", [PostgresEventStore, Overtaken])
def test_all_is_taken_in_where_a_partition_ends_with_a_transaction(
    connection: KafkaConnection, conninfo: str, kind: type[PostgresEventStore]
) -> None:
    producer = Producer({"bootstrap.servers": connection.bootstrap, "transactional.id": connection.topic_prefix})
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    for message in stock(0, 50):
        producer.produce(connection.topic_prefix + message.topic, message.payload, message.key)
    commit(connection, producer)
    with (
        open_pool(conninfo) as pool,
        closing(KafkaMessageStream(connection, PostgresInbox(pool).positions)) as stream,
        closing(kind(conninfo, pool_size=1)) as store,
    ):
        ingest = Ingest(store, PostgresInbox(pool), stream, lambda: NOW, IngestSettings(patience_seconds=PATIENCE))
        assert ingest.catch_up() == Balance(50, 50, 0, 0)
        assert set(ingest.lag().values()) == {0}
        assert PostgresInbox(pool).positions() == {p: end for p, end in stream.ends().items() if end}


def test_a_database_that_fails_while_partitions_are_assigned_costs_no_message(connection: KafkaConnection) -> None:
    failing = [StoreUnavailableError("the connection broke")]

    def positions() -> Mapping[Partition, int]:
        if failing:
            raise failing.pop()
        return {Partition("orders", n): 3 for n in range(PARTITIONS)}

    with closing(KafkaMessageStream(connection, positions)) as stream:
        stream.publish(orders(60))
        with pytest.raises(StoreUnavailableError):
            take(stream, 1)
        received = take(stream, 60 - 3 * PARTITIONS)
        assert min(m.offset for m in received) == 3
        assert len(received) == 60 - 3 * PARTITIONS


def test_partitions_that_were_taken_away_are_read_by_the_other_alone(connection: KafkaConnection) -> None:
    recorded: dict[Partition, int] = {}
    with (
        closing(KafkaMessageStream(connection, lambda: recorded)) as first,
        closing(KafkaMessageStream(connection, lambda: recorded)) as second,
    ):
        first.publish(everywhere(300))
        recorded.update(after(take(first, 300, limit=1_000)))
        while not second.assignments:
            assert first.poll(10, 0) == []
            assert second.poll(10, 0) == []
        first.publish(everywhere(300, 300))
        received: list[tuple[str, ReceivedMessage]] = []
        while len(received) < 300:
            received += [("first", m) for m in first.poll(7, 0)]
            received += [("second", m) for m in second.poll(7, 0)]
        assert sorted(int(m.payload) for _, m in received) == list(range(300, 600))
        readers = {(m.topic, m.partition, name) for name, m in received}
        assert len(readers) == len(TOPICS) * PARTITIONS
        assert {name for _, _, name in readers} == {"first", "second"}


class Progress:
    """Counts what consumers took in; somebody may wait until enough of it is there."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self._changed = Condition()

    def of(self, name: str) -> Callable[[Balance], None]:
        def count(balance: Balance) -> None:
            with self._changed:
                self.taken[name] += balance.received
                self._changed.notify_all()

        return count

    def wait_for_all_but(self, few: int, published: int) -> None:
        self.wait(lambda taken: taken.total() >= published - few)

    def wait(self, enough: Callable[[Counter[str]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.taken), PATIENCE), self.taken


def stock(first: int, count: int) -> list[OutgoingMessage]:
    """Stock received, each stream's in one partition, all partitions of all topics in use."""
    messages = []
    for n in range(first, first + count):
        command = ReceiveStock(product_id=f"p{n % 97}", location_id="main", occurred_at=NOW, quantity=1)
        message = encode_command(command, message_id=str(n), source="test")
        messages.append(message._replace(topic=TOPICS[n % 97 % len(TOPICS)]))
    return messages


def test_consumers_that_come_and_go_lose_and_double_nothing(connection: KafkaConnection, conninfo: str) -> None:
    with ExitStack() as stack:
        pool = stack.enter_context(open_pool(conninfo))
        threads = stack.enter_context(ThreadPoolExecutor(3))
        publisher = stack.enter_context(closing(KafkaMessageStream(connection)))
        inbox, progress = PostgresInbox(pool), Progress()
        stops = {name: stack.enter_context(set_at_end()) for name in ("first", "second", "third")}

        def consume(name: str) -> None:
            with (
                closing(KafkaMessageStream(connection, inbox.positions)) as stream,
                closing(PostgresEventStore(conninfo, pool_size=1)) as store,
            ):
                settings = IngestSettings(batch_size=50, poll_seconds=0.1)
                Ingest(store, inbox, stream, lambda: NOW, settings).run(stops[name], progress.of(name))

        running = {"first": threads.submit(consume, "first")}
        published = publish_until(publisher, progress, 0, lambda taken: taken["first"] > 500)
        running["second"] = threads.submit(consume, "second")
        published = publish_until(publisher, progress, published, lambda taken: taken["second"] > 500)
        running["third"] = threads.submit(consume, "third")
        published = publish_until(publisher, progress, published, lambda taken: taken["third"] > 500)
        stops["first"].set()
        published = publish_until(publisher, progress, published, lambda _: running["first"].done())
        stops["second"].set()
        running["second"].result(PATIENCE)
        progress.wait(lambda taken: taken.total() >= published)
        stops["third"].set()
        for each in running.values():
            each.result(PATIENCE)
        assert inbox.balance() == Balance(published, published, 0, 0)
        assert inbox.positions() == {p: end for p, end in publisher.ends().items() if end}
        store = stack.enter_context(closing(PostgresEventStore(conninfo, pool_size=1)))
        assert len(store.read(0, published + 1)) == published


@contextmanager
def set_at_end() -> Iterator[Event]:
    """An event that is set at the latest when the test ends, however it does."""
    event = Event()
    try:
        yield event
    finally:
        event.set()


def publish_until(
    stream: KafkaMessageStream, progress: Progress, published: int, enough: Callable[[Counter[str]], bool]
) -> int:
    """Publish, never far ahead of what is taken in, until `enough`; return how many messages there are by then."""
    while not enough(progress.taken):
        stream.publish(stock(published, 200))
        published += 200
        progress.wait_for_all_but(1_000, published)
    return published


def test_a_consumer_whose_name_another_took_says_so_and_a_new_one_goes_on(connection: KafkaConnection) -> None:
    named = replace(connection, properties={**connection.properties, "group.instance.id": "consumer-1"})
    with closing(KafkaMessageStream(named)) as first:
        first.publish(orders(3))
        assert len(take(first, 3)) == 3
        with closing(KafkaMessageStream(named)) as second:
            assert len(take(second, 3)) == 3
            with pytest.raises(StreamUnavailableError, match=r"refuses to go on: .*same group\.instance\.id"):
                take(first, 1)
    with closing(KafkaMessageStream(named)) as third:
        assert len(take(third, 3)) == 3
