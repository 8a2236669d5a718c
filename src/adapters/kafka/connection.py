"""How to reach Kafka: what the platform fixes, what it prefers, and what passes through to the client."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from adapters.kafka.errors import KafkaSettingsError, reason_of
from adapters.kafka.topics import TOPICS

log = logging.getLogger(__name__)
log.addFilter(lambda record: "and will be ignored by this" not in record.getMessage())
"""All clients are given all properties; what one of them has no use for is no news."""

_Properties = Mapping[str, str | int | bool]

_PRODUCER_FIXED: _Properties = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
}
_CONSUMER_FIXED: _Properties = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": False,
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
}
_PRODUCER_PREFERRED: _Properties = {
    "linger.ms": 5,
    "compression.type": "lz4",
    "message.max.bytes": max(topic.max_message_bytes for topic in TOPICS),
    "queue.buffering.max.kbytes": 65_536,
    "delivery.timeout.ms": 60_000,
}
_CONSUMER_PREFERRED: _Properties = {
    "session.timeout.ms": 10_000,
    "heartbeat.interval.ms": 1_000,
    # Little is fetched ahead, so that memory stays small; the short back-off keeps that from costing speed.
    "queued.max.messages.kbytes": 16_384,
    "max.partition.fetch.bytes": 262_144,
    "fetch.max.bytes": 4_194_304,
    "fetch.queue.backoff.ms": 10,
    "fetch.wait.max.ms": 100,
}
_OWN = frozenset({"bootstrap.servers", "group.id", "group.protocol", "request.required.acks"})


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """The brokers, the consumer group, what topic names begin with, and any other client property.

    Properties may hold secrets: they appear in no text.
    """

    bootstrap: str
    group: str
    topic_prefix: str = ""
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        fixed = _OWN | _PRODUCER_FIXED.keys() | _CONSUMER_FIXED.keys()
        for name in sorted(fixed & self.properties.keys()):
            raise KafkaSettingsError(f"the Kafka property {name} can't be set: exactly once rests on it")

    def producer(self) -> Producer:
        """Return a producer that neither loses, doubles nor reorders what it accepts."""
        with _checked():
            return Producer(self._settings(_PRODUCER_PREFERRED, _PRODUCER_FIXED), logger=log)

    def consumer(self) -> Consumer:
        """Return a member of the group; it commits no offset by itself."""
        with _checked():
            return Consumer(
                self._settings(_CONSUMER_PREFERRED, {**_CONSUMER_FIXED, "group.id": self.group}), logger=log
            )

    def admin(self) -> AdminClient:
        """Return a client for topics and offsets."""
        with _checked():
            return AdminClient(self._settings({}, {}), logger=log)

    def _settings(self, preferred: _Properties, fixed: _Properties) -> dict[str, Any]:
        return {**preferred, **self.properties, **fixed, "bootstrap.servers": self.bootstrap, "error_cb": _report}


@contextmanager
def _checked() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise KafkaSettingsError(f"the Kafka client can't be set up: {reason_of(error).str()}") from error


def _report(error: KafkaError) -> None:
    log.warning("Kafka: %s", error.str())
