"""The relay at work: many dead letters hold up neither events nor the heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import cast

import pytest

from application.dead_letters import DeadLetterFeed
from application.ports.message_stream import MessageStream, OutgoingMessage, OversizedMessageError
from entrypoints.monitoring.following import Steps
from entrypoints.monitoring.metrics import RelayMetrics
from entrypoints.monitoring.relaying import LETTERS_SECONDS, Relaying
from entrypoints.monitoring.watch import Watch


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Letters:
    """Dead letters that wait in portions, each of which takes a second to go out."""

    def __init__(self, clock: Clock, portions: Iterator[int]) -> None:
        self._clock = clock
        self._portions = portions

    def step(self) -> int:
        self._clock.now += 1
        return next(self._portions, 0)


class Events:
    """Takes note of when events go out."""

    def __init__(self, clock: Clock, oversized: bool = False) -> None:
        self._clock = clock
        self._oversized = oversized
        self.sent_at: list[float] = []

    def step(self) -> int:
        self.sent_at.append(self._clock.now)
        if self._oversized:
            raise OversizedMessageError("too large", OutgoingMessage("events", "k", b""))
        return 7


def relaying(clock: Clock, letters: Letters, events: Events) -> Relaying:
    metrics = RelayMetrics("relay", Watch())
    stream = cast("MessageStream", None)
    return Relaying(cast("Steps", events), cast("DeadLetterFeed", letters), stream, metrics, Event(), clock=clock)


def test_many_dead_letters_let_events_and_the_loop_have_their_turn() -> None:
    clock = Clock()
    events = Events(clock)
    relay = relaying(clock, Letters(clock, iter([500] * 1_000)), events)
    for _ in range(3):
        began = clock.now
        assert relay.step() == 500 * LETTERS_SECONDS + 7
        assert clock.now - began == LETTERS_SECONDS
    assert events.sent_at == [1_000 + LETTERS_SECONDS * n for n in (1, 2, 3)]


def test_few_dead_letters_go_out_at_once_also_where_events_can_not() -> None:
    clock = Clock()
    relay = relaying(clock, Letters(clock, iter([500, 500, 3])), Events(clock, oversized=True))
    with pytest.raises(OversizedMessageError):
        relay.step()
    assert clock.now == 1_004
