"""Other systems' producers may send CloudEvents in binary mode, as most of their libraries do unless told otherwise."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.producer import Publisher, Record
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.ingest.messages import decode_envelope, encode_command
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Balance, QuarantineStatus
from domain.inventory.commands import ReceiveStock
from tests.kafka_topics import fresh_topics

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[KafkaConnection]:
    with fresh_topics() as connection:
        yield connection


def both_modes(number: int) -> list[Record]:
    """Return a message in structured mode, and the same one in binary mode."""
    command = ReceiveStock(product_id="p", location_id="w", quantity=number, occurred_at=NOW)
    topic, key, whole = encode_command(command, message_id=f"{number}", source="/shop")
    event = decode_envelope(whole)
    named = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    binary = [("content-type", b"application/json"), *((f"ce_{name}", text.encode()) for name, text in named.items())]
    return [
        Record(topic, key, whole, [("content-type", b"application/cloudevents+json")]),
        Record(topic, key, bytes(event.data), binary),
    ]


def test_a_message_in_either_mode_is_the_same_message(connection: KafkaConnection, conninfo: str) -> None:
    records = [record for number in range(1, 21) for record in both_modes(number)]
    broken = records[1]._replace(payload=b"{")
    with (
        open_pool(conninfo) as pool,
        closing(Publisher(connection)) as publisher,
        closing(KafkaMessageStream(connection, PostgresInbox(pool).positions)) as stream,
        closing(PostgresEventStore(conninfo)) as store,
    ):
        publisher.publish_each([*records, broken])
        inbox = PostgresInbox(pool)
        ingest = Ingest(store, inbox, stream, lambda: NOW, IngestSettings(patience_seconds=30))
        assert ingest.catch_up() == Balance(received=41, applied=20, duplicate=20, quarantined=1)
        (waiting,) = inbox.quarantine(status=QuarantineStatus.OPEN)
        assert waiting.code == "InvalidJson"
        assert inbox.payloads([waiting.quarantine_id]) == {waiting.quarantine_id: b"{"}


def test_topics_of_other_systems_are_read_as_they_are(connection: KafkaConnection) -> None:
    _, binary = both_modes(1)
    with (
        closing(Publisher(connection)) as publisher,
        closing(KafkaMessageStream(connection, topics=["inventory"])) as stream,
    ):
        publisher.publish_each([binary])
        assert [message.payload for message in stream.poll(10, 30)] == [binary.payload]
