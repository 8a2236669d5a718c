"""Publish messages and wait until the brokers have acknowledged every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import Lock

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.errors import OversizedMessageError, reason_of
from adapters.kafka.topics import MAX_MESSAGE_BYTES, TOPICS
from application.ports.message_stream import OutgoingMessage, StreamUnavailableError

Headers = Sequence[tuple[str, bytes]]

STRUCTURED: Headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""Says that the value is a whole CloudEvent (CloudEvents Kafka binding 1.0, 3.3 structured content mode)."""

_ROOM = 1_024
"""Bytes of a record beside key and value: its headers and the batch it travels in."""
_LARGEST = {topic.name: topic.max_message_bytes for topic in TOPICS}
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
            _check_size(message)
        producer = self._producer
        reports: list[KafkaError | None] = []
        try:
            for message, headers in messages:
                self._send(producer, message, headers, reports)
        except KafkaException as error:
            self._fail(Counter([reason_of(error)]), len(messages))
        while len(reports) < len(messages):
            producer.poll(_WAIT)
        if failed := Counter(error for error in reports if error is not None):
            self._fail(failed, len(messages))

    def close(self) -> None:
        """Send what is still under way."""
        self._producer.flush()

    def _send(
        self, producer: Producer, message: OutgoingMessage, headers: Headers, reports: list[KafkaError | None]
    ) -> None:
        """Hand one message to the client, waiting while its buffer is full; its report joins the others."""

        def delivered(error: KafkaError | None, _: Message) -> None:
            reports.append(error)

        topic = self._connection.topic_prefix + message.topic
        while True:
            try:
                producer.produce(topic, message.payload, message.key, headers=list(headers), on_delivery=delivered)
                return
            except BufferError:
                producer.poll(_WAIT)

    def _fail(self, failed: Counter[KafkaError], count: int) -> None:
        error, _ = failed.most_common(1)[0]
        if error.fatal():
            with self._renewing:
                self._producer = self._connection.producer()
        if error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE):
            raise OversizedMessageError(f"a message is larger than its topic takes on the brokers: {error.str()}")
        raise StreamUnavailableError(
            f"{failed.total():,} of {count:,} messages were not acknowledged by Kafka: {error.str()}"
        )


def _check_size(message: OutgoingMessage) -> None:
    size, most = (
        len(message.payload) + len(message.key.encode()),
        _LARGEST.get(message.topic, MAX_MESSAGE_BYTES) - _ROOM,
    )
    if size > most:
        raise OversizedMessageError(
            f"the message {message.key!r} for {message.topic} has {size:,} bytes, at most {most:,} can be published"
        )
