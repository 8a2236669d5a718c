"""How to reach Kafka: what the platform fixes, what it prefers, and what passes through to the client."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from adapters.kafka.errors import KafkaRefusedError, KafkaSettingsError, reason_of
from adapters.kafka.sparing_log import Sparing
from adapters.kafka.topics import TOPICS
from application.ports.message_stream import StreamUnavailableError

log = logging.getLogger(__name__)
log.addFilter(lambda record: "and will be ignored by this" not in record.getMessage())
"""All clients are given all properties; what one of them has no use for is no news."""
log.addFilter(Sparing())

_Properties = Mapping[str, str | int | bool]

_PRODUCER_FIXED: _Properties = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
}
_CONSUMER_FIXED: _Properties = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "partition.assignment.strategy": "cooperative-sticky",
}
_PRODUCER_PREFERRED: _Properties = {
    "linger.ms": 5,
    "compression.type": "lz4",
    # A batch counts as one message against a topic's limit, which others may have set low.
    "batch.size": 131_072,
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
_REFUSALS = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED})
_REACH_SECONDS = 10.0
_TRY_SECONDS = 0.5
_OWN = frozenset(
    {
        "bootstrap.servers",
        "default.topic.config",
        "group.id",
        "group.protocol",
        "metadata.broker.list",
        "request.required.acks",
        "transactional.id",
    }
)
"""Properties that have settings of their own, or that go round those; a producer within transactions sends nothing."""


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

    def reach(self) -> AdminClient:
        """Return a client for topics and offsets that has reached the brokers, which says in one line why not.

        Raises:
            KafkaRefusedError: they don't accept our credentials, or we don't accept their certificate.
            StreamUnavailableError: they don't answer.
        """
        errors: list[KafkaError] = []
        with _checked():
            quiet = {"error_cb": errors.append, "log_level": 0}
            admin = AdminClient(self._settings({}, {}) | quiet, logger=log)
        deadline = time.monotonic() + _REACH_SECONDS
        while True:
            try:
                admin.list_topics(timeout=_TRY_SECONDS)
                return admin
            except KafkaException as error:
                admin.poll(0)
                telling = [each for each in errors if each.code() != KafkaError._ALL_BROKERS_DOWN]
                told = telling or [reason_of(error)]
            if refused := [error for error in told if error.code() in _REFUSALS]:
                raise KafkaRefusedError(f"Kafka at {self.bootstrap} can't be used: {refused[0].str()}")
            if time.monotonic() > deadline:
                raise StreamUnavailableError(f"Kafka does not answer at {self.bootstrap}: {told[-1].str()}")

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
