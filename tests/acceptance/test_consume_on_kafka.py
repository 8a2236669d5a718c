"""`consume` on real brokers, beside producers that send in transactions, and beside other consumers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from application.ingest.messages import encode_command
from application.ports.message_stream import OutgoingMessage
from domain.inventory.commands import ReceiveStock
from tests.acceptance.home import Home, the_one_line, until
from tests.acceptance.watched import Running, started
from tests.kafka_topics import commit, fresh_topics, settings_of
from tests.postgres_server import fresh_database

AT = datetime(2026, 3, 1, tzinfo=UTC)
PARTITION = 1
PATIENCE = 30.0


@pytest.fixture
def kafka() -> Iterator[KafkaConnection]:
    with fresh_topics() as connection:
        yield connection


@pytest.fixture
def home(kafka: KafkaConnection, tmp_path: Path) -> Iterator[Home]:
    with fresh_database() as url, closing(Home(tmp_path / "home", database_url=url, **settings_of(kafka))) as home:
        yield home


def stock(first: int, count: int) -> list[OutgoingMessage]:
    return [
        encode_command(
            ReceiveStock(product_id=f"p{n}", location_id="main", occurred_at=AT, quantity=1),
            message_id=str(n),
            source="depot",
        )
        for n in range(first, first + count)
    ]


def send(kafka: KafkaConnection, producer: Producer, messages: list[OutgoingMessage]) -> None:
    for message in messages:
        producer.produce(f"{kafka.topic_prefix}{message.topic}", message.payload, message.key, PARTITION)
    assert producer.flush(PATIENCE) == 0


@contextmanager
def open_transaction(kafka: KafkaConnection, messages: list[OutgoingMessage]) -> Iterator[Producer]:
    """A transaction that is open, with messages in it."""
    named = {"transactional.id": f"{kafka.topic_prefix}depot"}
    producer = Producer({"bootstrap.servers": kafka.bootstrap, **named})
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    send(kafka, producer, messages)
    yield producer


def test_once_ends_at_what_can_be_read_and_says_what_waits(kafka: KafkaConnection, home: Home, tmp_path: Path) -> None:
    plain = Producer({"bootstrap.servers": kafka.bootstrap})
    send(kafka, plain, stock(0, 5))
    with open_transaction(kafka, stock(100, 3)) as transaction:
        send(kafka, plain, stock(5, 1))
        done = home.run("consume", "--once")
        assert done.returncode == 0, done.stderr
        assert "5 messages received: 5 applied" in done.stdout
        waits = "4 messages are not taken in yet: they wait for the end of a transaction that is open in inventory/1"
        assert waits in done.stderr
        status = home.json("status")
        assert (status["received"], status["stream_behind"], status["stream_held_back"]) == (5, 4, 4)
        file = tmp_path / "inventory.jsonl"
        file.write_bytes(b"".join(message.payload + b"\n" for message in stock(6, 50)))
        assert "not taken in yet" in home.run("ingest", "messages", file).stderr, "others end, too"
        commit(kafka, transaction)
    done = home.run("consume", "--once")
    assert "not taken in yet" not in done.stderr
    status = home.json("status")
    assert (status["received"], status["applied"], status["stream_behind"]) == (59, 59, 0)
    assert status["stream_held_back"] == 0


def test_what_was_given_up_is_taken_in_by_nobody_whatever_is_asked_for(kafka: KafkaConnection, home: Home) -> None:
    with open_transaction(kafka, stock(0, 3)) as transaction:
        transaction.abort_transaction(PATIENCE)
    refused = the_one_line(home.run("consume", "--once", kafka_isolation_level="read_uncommitted"))
    assert "isolation.level can't be set" in refused
    assert "0 messages received" in home.do("consume", "--once")
    assert home.json("status")["stream_behind"] == 0


def test_the_lag_of_several_consumers_adds_up_to_what_waits(kafka: KafkaConnection, home: Home) -> None:
    with (
        started(home, "consume", kafka_heartbeat_interval_ms=100) as first,
        started(home, "consume", kafka_heartbeat_interval_ms=100) as second,
    ):
        until(lambda: first.is_ready() and second.is_ready(), "they do not get ready")
        until(lambda: len(first.lag()) * len(second.lag()) > 0, "the partitions are not shared out")
        until(lambda: not own(first) & own(second), "a partition is told of twice")
        assert len(own(first) | own(second)) == len(first.lag()) + len(second.lag()) == 12
        with open_transaction(kafka, stock(0, 7)) as transaction:
            assert sum(first.lag() + second.lag()) == 7
            for each in (first, second):
                until(lambda: each.figures()["dataflow_freshness_seconds"] > 0, "it does not tell that something waits")  # noqa: B023
            transaction.commit_transaction(PATIENCE)
        until(lambda: sum(first.lag() + second.lag()) == 0, "they do not take in what was published")


def own(consumer: Running) -> set[str]:
    """Return the partitions whose lag a consumer tells."""
    return {name for name in consumer.figures() if name.startswith("dataflow_consume_lag_messages")}


def test_a_partition_is_told_of_once_it_is_assigned(kafka: KafkaConnection) -> None:
    with closing(KafkaMessageStream(kafka)) as stream:
        partitions = list(stream.ends())
        assert not any(map(stream.is_read_here, partitions))
        stream.publish(stock(0, 1))
        assert stream.poll(10, PATIENCE)
        assert all(map(stream.is_read_here, partitions))


def test_the_doctor_names_topics_that_are_compacted(kafka: KafkaConnection, home: Home) -> None:
    def stream() -> tuple[bool, str]:
        findings = json.loads(home.run("doctor", "--json").stdout)
        return next((each["ok"], each["finding"]) for each in findings if each["check"] == "stream")

    assert stream() == (True, "Kafka; all of it is taken in")
    set_to = ConfigEntry("cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET)
    orders = ConfigResource(ResourceType.TOPIC, f"{kafka.topic_prefix}orders", incremental_configs=[set_to])
    admin = kafka.admin()
    for future in admin.incremental_alter_configs([orders]).values():
        future.result(PATIENCE)
    ok, finding = stream()
    assert not ok
    assert finding.endswith(f"set their cleanup.policy to delete: {kafka.topic_prefix}orders")
