"""`relay` in production: events and dead letters on a real Kafka, watched, through outages and a topic's limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.log_offsets import LATEST, partitions_of, read_offsets
from tests.acceptance.home import Home, the_one_line, until
from tests.acceptance.watched import Running, started
from tests.kafka_topics import fresh_topics, recreate

PATIENCE = 30.0


@pytest.fixture
def kafka() -> Iterator[KafkaConnection]:
    with fresh_topics() as connection:
        yield connection


@pytest.fixture
def platform(kafka: KafkaConnection, tmp_path: Path) -> Iterator[Home]:
    """A platform on Kafka that took in a few messages, some of them broken."""
    settings = {"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix, "group": kafka.group}
    home = Home(tmp_path / "home", **{f"kafka_{name}": value for name, value in settings.items()})
    with closing(home.keep_server()):
        home.do("generate", "--orders", 20, "--days", 9, "--seed", 3, "--start", "2026-01-05", "--broken", 0.1)
        home.do("consume", "--once")
        yield home


def kept(kafka: KafkaConnection, topic: str) -> list[Message]:
    """Everything in a topic, in the order of each partition."""
    ends = read_offsets(kafka.admin(), partitions_of(kafka.admin(), [kafka.topic_prefix + topic]), LATEST)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(*place, 0) for place in ends])
    messages: list[Message] = []
    with closing(consumer):
        while missing := sum(ends.values()) - len(messages):
            messages += (got := consumer.consume(missing, PATIENCE))
            assert got
    return messages


def limit(kafka: KafkaConnection, topic: str, most: int) -> None:
    """Set the largest message that a topic takes."""
    entry = ConfigEntry("max.message.bytes", str(most), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, kafka.topic_prefix + topic, incremental_configs=[entry])
    admin = kafka.admin()
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(PATIENCE)


def log_of(platform: Home) -> list[tuple[str, int]]:
    query = "SELECT originator_id, originator_version FROM events.stored_events ORDER BY notification_id"
    with platform.connect() as connection:
        return list(connection.execute(query))


def all_sent(relay: Running) -> bool:
    """Whether it says that nothing waits to go out."""
    found = relay.figures()
    waiting = ("dataflow_relay_behind_positions", "dataflow_relay_dead_letters_waiting")
    return [found.get(name) for name in waiting] == [0, 0]


def by_stream(events: list[tuple[str, int]]) -> dict[str, list[int]]:
    streams: dict[str, list[int]] = {}
    for stream, version in events:
        streams.setdefault(stream, []).append(version)
    return streams


def test_events_and_dead_letters_go_out_and_the_relay_tells(platform: Home, kafka: KafkaConnection) -> None:
    with started(platform, "relay", log_format="json") as relay:
        until(relay.is_ready, "it does not get ready")
        until(lambda: all_sent(relay), "it does not send everything")
        assert relay.answer("/live") == (200, "live\n")
        found = relay.figures()
        done = relay.stop()
    events = [json.loads(message.value() or b"") for message in kept(kafka, "events")]
    letters = kept(kafka, "dead-letter")
    quarantined: list[dict[str, Any]] = platform.json("quarantine", "list")
    assert by_stream([(event["subject"], event["version"]) for event in events]) == by_stream(log_of(platform))
    assert len(quarantined) > 0
    assert {int(dict(letter.headers() or [])["quarantine-id"]) for letter in letters} == {
        entry["quarantine_id"] for entry in quarantined
    }
    assert found["dataflow_relay_events_total"] == found["dataflow_relay_batch_events_sum"] == len(events)
    assert found["dataflow_relay_dead_letters_total"] == len(letters) == len(quarantined)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["message"] == f"{len(events) + len(letters):,} messages sent"
    platform.do("relay", "--once")
    assert (len(kept(kafka, "events")), len(kept(kafka, "dead-letter"))) == (len(events), len(letters))


def test_an_event_above_the_topics_limit_is_named_until_the_limit_is_raised(
    platform: Home, kafka: KafkaConnection
) -> None:
    recreate(kafka, "events", max_message_bytes=100)
    said = the_one_line(platform.run("relay", "--once"))
    with started(platform, "relay") as relay:
        until(lambda: "can't go out" in relay.answer("/ready")[1], "it does not say what is too large")
        status, reason = relay.answer("/ready")
        until(
            lambda: relay.figures().get("dataflow_retries_total OversizedMessageError", 0) > 1, "it does not try again"
        )
        assert relay.answer("/live") == (200, "live\n")
        limit(kafka, "events", 1_000_000)
        until(lambda: relay.is_ready() and all_sent(relay), "it does not go on")
        relay.stop()
    for text in (said, reason):
        assert text.startswith("event ")
        assert "bytes, which the brokers refuse: raise max.message.bytes of the topic" in text
        assert f"{kafka.topic_prefix}events" in text
    assert status == 503
    first_seen = dict.fromkeys(
        (event["subject"], event["version"])
        for event in (json.loads(message.value() or b"") for message in kept(kafka, "events"))
    )
    assert by_stream(list(first_seen)) == by_stream(log_of(platform))
    assert len(kept(kafka, "dead-letter")) >= platform.json("status")["quarantine_open"] > 0
