"""Other systems' producers may send CloudEvents in binary mode, as most of their libraries do unless told otherwise."""

import ctypes
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import confluent_kafka
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.producer import Publisher, Record
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.ingest.messages import decode_envelope, encode_command
from application.ingest.observer import BatchReport, Nobody
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Balance, QuarantineStatus
from domain.inventory.commands import ReceiveStock
from entrypoints.monitoring.tracing import BatchTracer
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


def test_the_traces_of_producers_are_linked_in_either_mode(connection: KafkaConnection, conninfo: str) -> None:
    """Producers that are instrumented add headers, whichever way their event is written."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    records = [record for number in (1, 2) for record in both_modes(number)]
    traced = [
        record._replace(headers=[*record.headers, ("traceparent", f"00-{n:032x}-{7:016x}-01".encode())])
        for n, record in enumerate(records, 1)
    ]
    with (
        open_pool(conninfo) as pool,
        closing(Publisher(connection)) as publisher,
        closing(KafkaMessageStream(connection, PostgresInbox(pool).positions)) as stream,
        closing(PostgresEventStore(conninfo)) as store,
    ):
        publisher.publish_each(traced)
        observer = Tracing(BatchTracer(provider.get_tracer("test")))
        ingest = Ingest(store, PostgresInbox(pool), stream, lambda: NOW, observer=observer)
        assert ingest.catch_up().received == len(traced)
        with pool.connection() as database:
            kept = {bytes(row[0]) for row in database.execute("SELECT payload FROM bronze.messages")}
        assert {record.payload for record in traced[::2]} <= kept, "what came in structured mode is kept as received"
    links = [link for span in exporter.get_finished_spans() for link in span.links]
    assert sorted(link.context.trace_id for link in links) == [1, 2, 3, 4]


class Tracing(Nobody):
    """Traces each batch."""

    def __init__(self, tracer: BatchTracer) -> None:
        self._tracer = tracer

    def committed(self, batch: BatchReport) -> None:
        self._tracer.committed(batch)


def test_topics_of_other_systems_are_read_as_they_are(connection: KafkaConnection) -> None:
    _, binary = both_modes(1)
    with (
        closing(Publisher(connection)) as publisher,
        closing(KafkaMessageStream(connection, topics=["inventory"])) as stream,
    ):
        publisher.publish_each([binary])
        assert [message.payload for message in stream.poll(10, 30)] == [binary.payload]


def test_headers_whose_names_are_not_utf_8_do_not_end_the_process(connection: KafkaConnection, conninfo: str) -> None:
    """Of a message that has one, the client can name none; what the value says by itself is taken all the same."""
    structured, binary = both_modes(1)
    messages = [record.payload for record in (structured, binary) for _ in range(100)]
    publish_with_header(connection, structured.topic, b"gr\xfc\xdfe", messages)
    with (
        open_pool(conninfo) as pool,
        closing(KafkaMessageStream(connection, PostgresInbox(pool).positions)) as stream,
        closing(PostgresEventStore(conninfo)) as store,
    ):
        ingest = Ingest(store, PostgresInbox(pool), stream, lambda: NOW, IngestSettings(patience_seconds=30))
        assert ingest.catch_up() == Balance(received=200, applied=1, duplicate=99, quarantined=100)


def publish_with_header(connection: KafkaConnection, topic: str, name: bytes, payloads: list[bytes]) -> None:
    """Publish as clients in other languages can; the one for Python takes names that are text only."""
    found = sorted((Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs").glob("librdkafka-*.so*"))
    if not found:
        pytest.skip("the Kafka client is not the one of a wheel")
    client = ctypes.CDLL(str(found[0]))
    for function in (client.rd_kafka_conf_new, client.rd_kafka_new, client.rd_kafka_headers_new):
        function.restype = ctypes.c_void_p
    text, pointer, size = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t
    said = ctypes.create_string_buffer(512)
    settings = pointer(client.rd_kafka_conf_new())
    client.rd_kafka_conf_set(settings, text(b"bootstrap.servers"), text(connection.bootstrap.encode()), said, size(512))
    producer = pointer(client.rd_kafka_new(0, settings, said, size(512)))
    named = connection.topic_prefix + topic
    for payload in payloads:
        headers = pointer(client.rd_kafka_headers_new(size(1)))
        client.rd_kafka_header_add(headers, text(name), ctypes.c_ssize_t(-1), text(b"x"), ctypes.c_ssize_t(1))
        # The numbers are tags: 1 a topic's name, 4 a value, 7 what is done with its memory, 10 headers, 0 the end.
        arguments = (1, text(named.encode()), 4, text(payload), size(len(payload)), 7, 2, 10, headers, 0)
        assert client.rd_kafka_producev(producer, *arguments) == 0
    assert client.rd_kafka_flush(producer, 30_000) == 0
    client.rd_kafka_destroy(producer)
