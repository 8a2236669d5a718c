"""The topic of dead letters: quarantined messages, each with the reason in its headers, for other systems to read.

Quarantine in the database stays the record; what is published here may come twice, under the same quarantine id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from adapters.kafka.producer import Headers, OversizedRecordError, Publisher, Record
from adapters.kafka.topics import DEAD_LETTER
from application.ingest.limits import MAX_ID
from application.ports.inbox import Quarantined
from application.ports.message_stream import OutgoingMessage, OversizedMessageError

log = logging.getLogger(__name__)

_MOST_CHARACTERS = 100 * MAX_ID
"""Of a reason's sentence, which may quote the message."""


class DeadLetters:
    """Publishes quarantined messages: key and value as received, the reason in headers."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def publish(self, messages: Sequence[tuple[Quarantined, bytes]]) -> None:
        """Publish messages; on return all of them are acknowledged.

        One that is too large goes out without its value and, where that does not help, without its key.

        Raises:
            OversizedMessageError: the topic takes not even what is left.
            StreamUnavailableError: some message was not acknowledged in time; publishing again is safe.
        """
        records = [Record(DEAD_LETTER, m.key, payload, reason_headers(m)) for m, payload in messages]
        try:
            self._publisher.publish_each(records)
        except OversizedRecordError:
            # Brokers refuse all that travels together. Alone, only what is too large by itself is refused.
            for record in records:
                self._publish_alone(record)

    def _publish_alone(self, record: Record) -> None:
        for part, without in _PARTS:
            try:
                self._publisher.publish_each([record])
            except OversizedRecordError as error:
                less = without(record)
                if less != record:
                    log.warning("a dead letter goes out without its %s: %s", part, error)
                record = less
            else:
                return
        try:
            self._publisher.publish_each([record])
        except OversizedRecordError as error:
            raise OversizedMessageError(str(error), OutgoingMessage(record.topic, "", b"")) from error


def _without_value(record: Record) -> Record:
    """Leave the value in the database, and say so: one that is too large must not hold up the others."""
    if not record.payload:
        return record
    return record._replace(payload=b"", headers=[*record.headers, _omitted("payload", record.payload)])


def _without_key(record: Record) -> Record:
    if not record.key:
        return record
    return record._replace(key=None, headers=[*record.headers, _omitted("key", record.key.encode())])


def _omitted(part: str, value: bytes) -> tuple[str, bytes]:
    return f"{part}-omitted", f"{len(value)} bytes".encode()


_PARTS: Sequence[tuple[str, Callable[[Record], Record]]] = (("value", _without_value), ("key", _without_key))
"""What a dead letter may do without, and how it is left out."""


def reason_headers(message: Quarantined) -> Headers:
    """Return why and where from: every value is text in UTF-8."""
    texts = {
        "quarantine-id": str(message.quarantine_id),
        "reason-code": message.code,
        "reason-detail": message.detail[:_MOST_CHARACTERS],
        "source": message.source,
        "origin": f"{message.topic}/{message.partition}@{message.offset}",
        "received-at": message.received_at.isoformat(),
        "message-id": message.message_id or "",
        "stream-id": message.stream_id or "",
    }
    return [(name, text.encode(errors="replace")) for name, text in texts.items() if text]
