"""`relay` at work: events and dead letters go out, watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from prometheus_client import Metric

from application.dead_letters import DeadLetterFeed
from application.ports.event_store import ConcurrencyConflictError
from application.ports.message_stream import MessageStream, OversizedMessageError
from entrypoints.container import Container
from entrypoints.monitoring.following import Command, Steps, follow
from entrypoints.monitoring.metrics import RelayMetrics, letter_gauges
from entrypoints.monitoring.tracing import BatchTracer
from entrypoints.monitoring.watch import Watch
from entrypoints.settings import Settings

RELAY = Command("relay", "publish", idle_seconds=0.2, passing=(OversizedMessageError, ConcurrencyConflictError))
"""A topic's limit may be raised while the relay waits, and another relay that was faster may be gone: both pass."""
LETTERS_SECONDS = 5.0
"""How long dead letters go out at a stretch: meanwhile events wait, and nobody asks whether the role is still held."""


class Relaying:
    """Events and dead letters on one opened platform: where one of the two can't go out, the other does."""

    def __init__(
        self,
        events: Steps,
        letters: DeadLetterFeed | None,
        stream: MessageStream,
        metrics: RelayMetrics,
        stop: Event,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = events
        self._letters = letters
        self._stream = stream
        self._metrics = metrics
        self._stop = stop
        self._clock = clock

    def step(self) -> int:
        """Send the dead letters that wait, of many the first, and the next events; return how many messages it was."""
        sent, oversized = 0, None
        for send in (self._send_letters, self._events.step):
            try:
                sent += send()
            except OversizedMessageError as error:
                oversized = error
        if oversized is not None:
            raise oversized
        return sent

    def gauges(self) -> list[Metric]:
        """Ask the database how much waits to go out, and the stream whether it answers."""
        self._stream.ends()
        letters = [] if self._letters is None else letter_gauges(self._letters.waiting())
        return [*self._events.gauges(), *letters]

    def _send_letters(self) -> int:
        sent = 0
        ends = self._clock() + LETTERS_SECONDS
        while self._letters is not None and not self._stop.is_set() and (count := self._letters.step()):
            self._metrics.sent(count)
            sent += count
            if self._clock() >= ends:
                break
        return sent


def relay(settings: Settings, stop: Event, sent: Callable[[int], None], *, once: bool) -> None:
    """Send events and dead letters until `stop` is set, through all outages; or `once` all, and fail at one.

    `sent(count)` is called after each step.
    """
    watch = Watch()
    metrics = RelayMetrics(RELAY.role, watch)

    def begin(container: Container, tracer: BatchTracer | None) -> Relaying:
        sender = container.relay()
        events = Steps(
            RELAY,
            container.event_store(),
            step=sender.step,
            position=sender.checkpoint,
            metrics=metrics,
            tracer=tracer,
        )
        return Relaying(events, container.dead_letters(), container.topic_log(), metrics, stop)

    follow(RELAY, begin, settings, stop, sent, watch=watch, metrics=metrics, once=once)
