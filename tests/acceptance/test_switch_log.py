"""A database moves from its own topic log to Kafka: refused by mistake, complete when asked for."""

from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from adapters.kafka.connection import KafkaConnection
from tests.acceptance.home import Home
from tests.kafka_topics import fresh_topics, recreate, settings_of

PAST = ("--orders", 15, "--days", 9, "--start", "2026-01-05", "--broken", 0.05)


def reading_from(kafka: KafkaConnection, home: Home) -> Home:
    return Home(home.folder, **settings_of(kafka))


def test_a_database_moves_from_its_topic_log_to_kafka_with_all_messages(tmp_path: Path) -> None:
    with fresh_topics() as kafka, closing(Home(tmp_path / "home").keep_server()) as home:
        on_kafka = reading_from(kafka, home)
        home.do("generate", *PAST, "--seed", 1)
        assert "wait in the topic log of this database" in on_kafka.refusal("switch-log")
        home.do("consume", "--once")
        before = home.json("status")
        for command in (("consume", "--once"), ("status",), ("generate", *PAST, "--seed", 2)):
            assert "takes in from the topic log of this database" in on_kafka.refusal(*command)

        assert "takes in from the Kafka cluster" in on_kafka.do("switch-log")
        assert "takes in from the Kafka cluster" in home.refusal("consume", "--once")
        on_kafka.do("generate", *PAST, "--seed", 2)
        assert (published := on_kafka.json("status")["stream_behind"]) > before["received"] / 4
        on_kafka.do("consume", "--once")
        on_kafka.do("generate", *PAST, "--seed", 2)
        on_kafka.do("consume", "--once")
        after = on_kafka.json("status")
        assert after["received"] == before["received"] + 2 * published
        assert after["stream_behind"] == 0
        assert after["balance_holds"] is True
        assert after["log_position"] > before["log_position"]
        on_kafka.do("project", "--once")
        assert on_kafka.json("verify")["equal"] is True


def test_topics_that_are_created_anew_are_read_from_their_first_message(tmp_path: Path) -> None:
    with fresh_topics() as kafka, closing(Home(tmp_path / "home").keep_server()) as home:
        on_kafka = reading_from(kafka, home)
        on_kafka.do("generate", *PAST, "--seed", 1)
        on_kafka.do("consume", "--once")
        before = on_kafka.json("status")
        recreate(kafka, "orders")
        recreate(kafka, "inventory")
        for command in (("consume", "--once"), ("status",), ("generate", *PAST, "--seed", 2)):
            assert "inventory, orders of the Kafka cluster" in (refusal := on_kafka.refusal(*command))
            assert "deleted and created anew" in refusal
            assert "dataflow switch-log" in refusal

        assert "its first message counts as" in on_kafka.do("switch-log")
        on_kafka.do("generate", *PAST, "--seed", 2)
        published = on_kafka.json("status")["stream_behind"]
        on_kafka.do("consume", "--once")
        after = on_kafka.json("status")
        assert after["received"] == before["received"] + published
        assert (after["stream_behind"], after["balance_holds"]) == (0, True)
        on_kafka.do("project", "--once")
        assert on_kafka.json("verify")["equal"] is True


def test_a_topic_is_read_again_when_asked_for_and_nothing_counts_twice(tmp_path: Path) -> None:
    with fresh_topics() as kafka, closing(Home(tmp_path / "home").keep_server()) as home:
        assert "has no topic orders to read again" in home.refusal("switch-log", "--reread", "orders")
        on_kafka = reading_from(kafka, home)
        on_kafka.do("generate", *PAST, "--seed", 1)
        on_kafka.do("consume", "--once")
        before = on_kafka.json("status")
        assert "it has catalog, inventory, orders, shipments" in on_kafka.refusal("switch-log", "--reread", "order")
        assert "orders/" in on_kafka.do("switch-log", "--reread", "orders", "--reread", "inventory")
        assert (again := on_kafka.json("status")["stream_behind"]) > before["received"] / 4
        on_kafka.do("consume", "--once")
        after = on_kafka.json("status")
        assert after["received"] == before["received"] + again
        assert (after["applied"], after["stream_behind"], after["balance_holds"]) == (before["applied"], 0, True)
