"""Partitions that end with the mark of a transaction, while messages come all the time in others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import pytest
from confluent_kafka import Producer

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.ingest.messages import encode_command
from application.ingest.service import Ingest, IngestSettings
from application.ports.message_stream import Partition
from domain.inventory.commands import ReceiveStock
from tests.kafka_topics import commit, fresh_topics

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDED, BUSY = Partition("inventory", 0), Partition("inventory", 1)
PAUSE = 0.003
PATIENCE = 20.0


@pytest.fixture
def connection() -> Iterator[KafkaConnection]:
    with fresh_topics() as connection:
        yield connection


def payload(number: int) -> bytes:
    command = ReceiveStock(product_id=f"p{number}", location_id="main", occurred_at=NOW, quantity=1)
    return encode_command(command, message_id=str(number), source="test").payload


@contextmanager
def busy(connection: KafkaConnection) -> Iterator[None]:
    """Hundreds of messages a second in one partition, and a transaction that was committed in another."""
    topic = f"{connection.topic_prefix}inventory"
    transactional = Producer({"bootstrap.servers": connection.bootstrap, "transactional.id": topic})
    transactional.init_transactions(PATIENCE)
    transactional.begin_transaction()
    transactional.produce(topic, payload(0), partition=ENDED.number)
    commit(connection, transactional)
    stop = Event()

    def publish() -> None:
        producer, number = Producer({"bootstrap.servers": connection.bootstrap, "linger.ms": 0}), 0
        while not stop.wait(PAUSE):
            number += 1
            producer.produce(topic, payload(number), partition=BUSY.number)
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0

    publishing = Thread(target=publish)
    publishing.start()
    try:
        yield
    finally:
        stop.set()
        publishing.join()


@contextmanager
def ingest(connection: KafkaConnection, conninfo: str) -> Iterator[tuple[Ingest, PostgresInbox]]:
    with (
        open_pool(conninfo) as pool,
        closing(KafkaMessageStream(connection, PostgresInbox(pool).positions)) as stream,
        closing(PostgresEventStore(conninfo)) as store,
    ):
        inbox = PostgresInbox(pool)
        settings = IngestSettings(patience_seconds=PATIENCE)
        yield Ingest(store, inbox, stream, lambda: NOW, settings), inbox


def test_what_ends_by_itself_ends_there_while_other_messages_come(connection: KafkaConnection, conninfo: str) -> None:
    with ingest(connection, conninfo) as (running, inbox), busy(connection):
        taken = running.catch_up()
        assert inbox.positions()[ENDED] == 2
        assert taken.applied == taken.received >= 1
