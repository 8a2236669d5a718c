"""The topics: partitions, retention, compaction and the largest message, stated here and nowhere else."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from adapters.kafka.errors import reason_of, translated
from adapters.kafka.log_offsets import LATEST, Place, partitions_of, read_offsets
from adapters.kafka.topic_ids import read_topic_ids
from application.aggregates import CATALOG, INVENTORY, ORDER, SHIPMENT
from application.ports.message_stream import LogIdentity, StreamUnavailableError
from application.relay import RELAY_TOPIC

log = logging.getLogger(__name__)

DEAD_LETTER = "dead-letter"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""More than ingest takes, so that a message beyond its limit ends in quarantine and not with its sender."""

_DAY = 24 * 60 * 60 * 1_000
_FOR_EVER = -1
_REASON_BYTES = 1024 * 1024
_BROKERS_DEFAULT = -1
_CLEANUP = "cleanup.policy"
_SECONDS = 10.0
_PAUSE = 0.05


class Topic(NamedTuple):
    """A topic; a message counts for itself, also beside a later one of its key, so none is compacted away."""

    name: str
    partitions: int
    retention_ms: int
    cleanup_policy: str = "delete"
    max_message_bytes: int = MAX_MESSAGE_BYTES

    def config(self) -> dict[str, str]:
        """Return the topic's settings in the broker's words."""
        return {
            _CLEANUP: self.cleanup_policy,
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
        }


TAKEN_IN = (
    Topic(ORDER.topic, partitions=12, retention_ms=14 * _DAY),
    Topic(SHIPMENT.topic, partitions=12, retention_ms=14 * _DAY),
    Topic(INVENTORY.topic, partitions=12, retention_ms=14 * _DAY),
    Topic(CATALOG.topic, partitions=4, retention_ms=14 * _DAY),
)
"""What ingest reads. The database keeps every message for ever; the topics keep them for a repair."""

GIVEN_OUT = (
    Topic(RELAY_TOPIC, partitions=12, retention_ms=_FOR_EVER),
    Topic(DEAD_LETTER, partitions=1, retention_ms=90 * _DAY, max_message_bytes=MAX_MESSAGE_BYTES + _REASON_BYTES),
)
"""What others read. A dead letter carries its reason beside the message, so it may be larger."""

TOPICS = TAKEN_IN + GIVEN_OUT


def ensure_topics(admin: AdminClient, prefix: str = "", topics: Sequence[Topic] = TOPICS) -> None:
    """Create the topics that do not exist; those that do keep the settings that somebody gave them.

    Raises:
        StreamUnavailableError: the brokers don't answer, or refuse.
    """
    with translated():
        existing = admin.list_topics(timeout=_SECONDS).topics
        absent = [_new(topic, prefix) for topic in topics if prefix + topic.name not in existing]
        if not absent:
            return
        for future in admin.create_topics(absent, operation_timeout=_SECONDS).values():
            try:
                future.result(_SECONDS)
            except KafkaException as error:
                if reason_of(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
    names = [topic.topic for topic in absent]
    read_offsets(admin, _awaited(admin, names), LATEST)
    log.info("topics are ready: %s", ", ".join(names))


def compacted_topics(admin: AdminClient, prefix: str = "") -> list[str]:
    """Return those topics that somebody has compacted: of messages of a key they may lose all but the last.

    Of topics whose settings may not be seen, nothing is known; the platform works without that right.

    Raises:
        StreamUnavailableError: the brokers don't answer, or refuse.
    """
    resources = [ConfigResource(ResourceType.TOPIC, prefix + topic.name) for topic in TOPICS]
    compacted = []
    with translated():
        for resource, future in admin.describe_configs(resources, request_timeout=_SECONDS).items():
            try:
                if "compact" in str(future.result(_SECONDS)[_CLEANUP].value):
                    compacted.append(resource.name)
            except KafkaException as error:
                if reason_of(error).code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    raise
    return sorted(compacted)


def log_identity(admin: AdminClient, prefix: str = "") -> LogIdentity:
    """Return what tells these topics from those of other brokers, of other prefixes, and from earlier ones.

    Raises:
        StreamUnavailableError: the brokers don't answer.
    """
    with translated():
        cluster = admin.list_topics(timeout=_SECONDS).cluster_id
    ids = read_topic_ids(admin, [prefix + topic.name for topic in TAKEN_IN])
    name = f"the Kafka cluster {cluster}, topics {prefix}*" if prefix else f"the Kafka cluster {cluster}"
    return LogIdentity(name, {topic.removeprefix(prefix): each for topic, each in ids.items()})


def _awaited(admin: AdminClient, names: Sequence[str]) -> list[Place]:
    """Return the partitions of topics that were just created, once the broker that is asked knows of all of them."""
    deadline = time.monotonic() + _SECONDS
    while True:
        places = partitions_of(admin, names)
        if missing := set(names) - {name for name, _ in places}:
            if time.monotonic() > deadline:
                raise StreamUnavailableError(f"Kafka does not know of {', '.join(sorted(missing))} yet")
            time.sleep(_PAUSE)
        else:
            return places


def _new(topic: Topic, prefix: str) -> NewTopic:
    return NewTopic(
        prefix + topic.name,
        num_partitions=topic.partitions,
        replication_factor=_BROKERS_DEFAULT,
        config=topic.config(),
    )
