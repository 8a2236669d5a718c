"""A real Kafka for the tests, with topics of its own for each of them."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.log_offsets import LATEST, last_stable_offsets, partitions_of, read_offsets
from adapters.kafka.topics import TOPICS, ensure_topics
from deploy.services import install
from tests.services import service_url

PARTITIONS = 3
QUICK = {"heartbeat.interval.ms": "100"}


def bootstrap() -> str:
    """The brokers that `make services` started."""
    return service_url("kafka", "Kafka")


@contextmanager
def fresh_topics() -> Iterator[KafkaConnection]:
    """Every topic of the platform, empty, under a prefix of its own; they are deleted at the end."""
    prefix = f"test-{uuid4().hex[:12]}-"
    connection = KafkaConnection(bootstrap(), f"{prefix}group", prefix, QUICK)
    admin = connection.admin()
    topics = [topic._replace(partitions=PARTITIONS) for topic in TOPICS]
    ensure_topics(admin, prefix, topics)
    yield connection
    for future in admin.delete_topics([prefix + topic.name for topic in topics]).values():
        future.result(30)


def settings_of(kafka: KafkaConnection) -> dict[str, str]:
    """The settings of a command that is to use these topics."""
    return {
        "kafka_bootstrap": kafka.bootstrap,
        "kafka_topic_prefix": kafka.topic_prefix,
        "kafka_group": kafka.group,
    }


def recreate(connection: KafkaConnection, topic: str, **settings: int) -> None:
    """Delete a topic, and create one of the same name, which has another id; `settings` replace its own.

    They hold from its first message on, which those do not that are changed later.
    """
    admin, name = connection.admin(), connection.topic_prefix + topic
    admin.delete_topics([name])[name].result(30)
    deadline = time.monotonic() + 30
    while name in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    anew = [each._replace(partitions=PARTITIONS, **settings) for each in TOPICS if each.name == topic]
    ensure_topics(admin, connection.topic_prefix, anew)


def commit(connection: KafkaConnection, transaction: Producer, *topics: str) -> None:
    """Commit a transaction; on return it can be read, which may be later than the brokers acknowledge it.

    `topics` are those it wrote to, by their full names: unless they are given, any of the platform.
    """
    transaction.commit_transaction(30)
    admin, deadline = connection.admin(), time.monotonic() + 30
    places = partitions_of(admin, topics or [connection.topic_prefix + topic.name for topic in TOPICS])
    while last_stable_offsets(admin, places) != read_offsets(admin, places, LATEST):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def require_own_broker() -> None:
    """Skip the test where no broker can be started natively, unless it must be."""
    fetched = shutil.which("java") and any(install.cache().glob("kafka-*"))
    if not fetched and os.environ.get("DATAFLOW_REQUIRE_SERVICES") != "1":
        pytest.skip("no Kafka to start: `make services` fetches it, where Docker does not run it")
