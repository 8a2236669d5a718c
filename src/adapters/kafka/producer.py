"""Publish messages and wait until the brokers have acknowledged every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.errors import reason_of
from adapters.kafka.topics import MAX_MESSAGE_BYTES, TOPICS
from application.errors import PlatformError
from application.ingest.limits import MAX_ID
from application.ports.message_stream import OutgoingMessage, OversizedMessageError, StreamUnavailableError

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """What goes out: a message as other systems sent it may have no key."""

    topic: str
    key: str | None
    payload: bytes
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.payload) + len((self.key or "").encode())


class OversizedRecordError(PlatformError):
    """A record is larger than its topic takes."""

    def __init__(self, text: str, record: Record) -> None:
        super().__init__(text)
        self.record = record


_Report = tuple[KafkaError | None, Record]

STRUCTURED: Headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""Says that the value is a whole CloudEvent (CloudEvents Kafka binding 1.0, 3.3 structured content mode)."""

_ROOM = 1_024
"""Bytes of a record beside key and value: its headers and the batch it travels in."""
_LARGEST = {topic.name: topic.max_message_bytes for topic in TOPICS}
_CLIENT_LIMIT = "message.max.bytes"
_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
_WAIT = 1.0


class Publisher:
    """An idempotent producer; safe to use from several threads."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._producer = connection.producer()
        self._renewing = Lock()

    def publish(self, messages: Sequence[OutgoingMessage], headers: Headers = STRUCTURED) -> None:
        """Publish messages in order per key; on return all of them are acknowledged.

        Raises:
            OversizedMessageError: a message is larger than its topic takes.
            StreamUnavailableError: some message was not acknowledged in time; publishing again is safe.
        """
        try:
            self.publish_each([Record(*message, headers) for message in messages])
        except OversizedRecordError as error:
            topic, key, payload, _ = error.record
            raise OversizedMessageError(str(error), OutgoingMessage(topic, key or "", payload)) from error

    def publish_each(self, records: Sequence[Record]) -> None:
        """Publish records, each with headers of its own; see `publish`.

        Raises:
            OversizedRecordError: a record is larger than its topic takes; some of the others may have gone out.
            StreamUnavailableError: some record was not acknowledged in time; publishing again is safe.
        """
        for record in records:
            self._check_size(record)
        producer = self._producer
        reports: list[_Report] = []
        try:
            for record in records:
                self._send(producer, record, reports)
        except KafkaException as error:
            self._fail([(reason_of(error), record)], len(records))
        while len(reports) < len(records):
            producer.poll(_WAIT)
        if failed := [(error, record) for error, record in reports if error is not None]:
            self._fail(failed, len(records))

    def close(self) -> None:
        """Send what is still under way."""
        self._producer.flush()

    def _check_size(self, record: Record) -> None:
        """Refuse what the client or the topic as it was created would refuse, before anything is sent."""
        own = self._connection.properties.get(_CLIENT_LIMIT)
        most = _LARGEST.get(record.topic, MAX_MESSAGE_BYTES) if own is None else int(own, base=0)
        if record.size > most - _ROOM:
            raise self._oversized(record, f"at most {most - _ROOM:,} can be published")

    def _oversized(self, record: Record, limit: str) -> OversizedRecordError:
        return OversizedRecordError(
            f"the message {_shown(record.key)} for {record.topic} has {record.size:,} bytes, {limit}: raise "
            f"max.message.bytes of the topic {self._connection.topic_prefix}{record.topic} on the brokers, and "
            "DATAFLOW_KAFKA_MESSAGE_MAX_BYTES",
            record,
        )

    def _send(self, producer: Producer, record: Record, reports: list[_Report]) -> None:
        """Hand one record to the client, waiting while its buffer is full; its report joins the others."""

        def delivered(error: KafkaError | None, _: Message) -> None:
            reports.append((error, record))

        topic = self._connection.topic_prefix + record.topic
        headers: list[tuple[str, str | bytes | None]] = list(record.headers)
        while True:
            try:
                producer.produce(topic, record.payload, record.key, headers=headers, on_delivery=delivered)
                return
            except BufferError:
                producer.poll(_WAIT)

    def _fail(self, failed: Sequence[tuple[KafkaError, Record]], count: int) -> None:
        (error, _), *_others = Counter(error for error, _ in failed).most_common(1)
        if error.fatal():
            with self._renewing:
                self._producer = self._connection.producer()
        if large := [record for error, record in failed if error.code() in _TOO_LARGE]:
            raise self._oversized(max(large, key=lambda record: record.size), "which the brokers refuse")
        raise StreamUnavailableError(
            f"{len(failed):,} of {count:,} messages were not acknowledged by Kafka: {error.str()}"
        )


def _shown(key: str | None) -> str:
    """Return a key as an error names it: one that others sent may be megabytes long."""
    return repr(key) if key is None or len(key) <= MAX_ID else f"{key[:MAX_ID]!r}... ({len(key):,} characters)"
