"""Publish messages and wait until the brokers have acknowledged every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import Lock

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.errors import reason_of
from adapters.kafka.topics import MAX_MESSAGE_BYTES, TOPICS
from application.ports.message_stream import OutgoingMessage, OversizedMessageError, StreamUnavailableError

Headers = Sequence[tuple[str, bytes]]
_Report = tuple[KafkaError | None, OutgoingMessage]

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
        self.publish_each([(message, headers) for message in messages])

    def publish_each(self, messages: Sequence[tuple[OutgoingMessage, Headers]]) -> None:
        """Publish messages, each with headers of its own; see `publish`."""
        for message, _ in messages:
            self._check_size(message)
        producer = self._producer
        reports: list[_Report] = []
        try:
            for message, headers in messages:
                self._send(producer, message, headers, reports)
        except KafkaException as error:
            self._fail([(reason_of(error), message)], len(messages))
        while len(reports) < len(messages):
            producer.poll(_WAIT)
        if failed := [(error, message) for error, message in reports if error is not None]:
            self._fail(failed, len(messages))

    def close(self) -> None:
        """Send what is still under way."""
        self._producer.flush()

    def _check_size(self, message: OutgoingMessage) -> None:
        """Refuse what the client or the topic as it was created would refuse, before anything is sent."""
        most = int(self._connection.properties.get(_CLIENT_LIMIT, _LARGEST.get(message.topic, MAX_MESSAGE_BYTES)))
        if _size(message) > most - _ROOM:
            raise self._oversized(message, f"at most {most - _ROOM:,} can be published")

    def _oversized(self, message: OutgoingMessage, limit: str) -> OversizedMessageError:
        return OversizedMessageError(
            f"the message {message.key!r} for {message.topic} has {_size(message):,} bytes, {limit}: raise "
            f"max.message.bytes of the topic {self._connection.topic_prefix}{message.topic} on the brokers, and "
            "DATAFLOW_KAFKA_MESSAGE_MAX_BYTES",
            message,
        )

    def _send(self, producer: Producer, message: OutgoingMessage, headers: Headers, reports: list[_Report]) -> None:
        """Hand one message to the client, waiting while its buffer is full; its report joins the others."""

        def delivered(error: KafkaError | None, _: Message) -> None:
            reports.append((error, message))

        topic = self._connection.topic_prefix + message.topic
        while True:
            try:
                producer.produce(topic, message.payload, message.key, headers=list(headers), on_delivery=delivered)
                return
            except BufferError:
                producer.poll(_WAIT)

    def _fail(self, failed: Sequence[tuple[KafkaError, OutgoingMessage]], count: int) -> None:
        (error, _), *_others = Counter(error for error, _ in failed).most_common(1)
        if error.fatal():
            with self._renewing:
                self._producer = self._connection.producer()
        if large := [message for error, message in failed if error.code() in _TOO_LARGE]:
            raise self._oversized(max(large, key=_size), "which the brokers refuse")
        raise StreamUnavailableError(
            f"{len(failed):,} of {count:,} messages were not acknowledged by Kafka: {error.str()}"
        )


def _size(message: OutgoingMessage) -> int:
    return len(message.payload) + len(message.key.encode())
