"""A Kafka client that does not end holds nobody up."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from adapters.kafka import leaving


@pytest.fixture
def consumer() -> Any:
    return Mock(spec=Consumer)


@pytest.fixture
def stuck(consumer: Any) -> Iterator[Event]:
    """What the client waits for when it is closed; it comes after the test."""
    go_on = Event()
    consumer.close.side_effect = go_on.wait
    yield go_on
    go_on.set()


def test_a_client_that_does_not_end_is_left_behind(
    consumer: Any, stuck: Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leaving, "_SECONDS", 0.01)
    leaving.leave(consumer)
    assert "has not left its group after 0.01 s" in caplog.text
    assert not stuck.is_set()


def test_a_client_that_ends_is_waited_for(consumer: Any, caplog: pytest.LogCaptureFixture) -> None:
    ended = Event()
    consumer.close.side_effect = lambda: (Event().wait(0.05), ended.set())
    leaving.leave(consumer)
    assert ended.is_set()
    assert not caplog.records


def test_what_fails_at_the_end_is_raised(consumer: Any) -> None:
    consumer.close.side_effect = KafkaException(KafkaError(KafkaError._TRANSPORT))
    with pytest.raises(KafkaException):
        leaving.leave(consumer)
