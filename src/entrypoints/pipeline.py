"""The steps that several commands share: publish, take in, project."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from application.ingest.messages import InvalidMessageError, decode_envelope
from application.ingest.publishing import publish_all
from application.ports.inbox import Balance
from application.ports.message_stream import OutgoingMessage
from application.ports.role_lock import Check, RoleTakenError
from entrypoints.container import Container
from entrypoints.first_build import build_first

CONSUME = "consume"
PROJECT = "project"
GENERATIONS = (500_000, 20, 1_000)
SWITCH_SECONDS = 0.0005
Counted = Callable[[int, int | None], None]
_WAIT = 0.2


def tune_interpreter() -> None:
    """Suit the interpreter to ingest: collect garbage rarely, and hand over between threads quickly.

    States and messages form no cycles, yet looking for them costs the more time the more often it is done; the
    threads that commit need the interpreter for moments only, but often.
    """
    gc.set_threshold(*GENERATIONS)
    sys.setswitchinterval(SWITCH_SECONDS)


def publish(container: Container, messages: Iterable[OutgoingMessage], report: Counted) -> int:
    """Publish messages to the stream; return how many."""
    return publish_all(container.topic_log(), messages, lambda done: report(done, None))


def holding(container: Container, role: str) -> AbstractContextManager[Check]:
    """Hold a role; consumers of Kafka share theirs, since the brokers hand out the partitions."""
    shared = role == CONSUME and container.settings().kafka_bootstrap is not None
    return container.roles().hold(role, shared=shared)


def take_in(container: Container, report: Counted) -> None:
    """Take in all that can be read of the stream now; where a consumer runs already, wait until it has done so."""
    tune_interpreter()
    ingest = container.ingest()
    goal = ingest.goal()
    total = goal.left()
    while left := goal.left():
        try:
            with holding(container, CONSUME):
                ingest.catch_up(lambda _: report(total - goal.left(), total), goal=goal)
        except RoleTakenError:
            report(max(0, total - left), total)
            time.sleep(_WAIT)


def project(container: Container, report: Counted, upto: int | None = None) -> None:
    """Bring the read models to a position, by default the end of the log; where a follower runs, wait for it."""
    store, read_model = container.event_store(), container.read_model()
    to = store.head() if upto is None else upto
    while read_model.position() < to:
        try:
            with holding(container, PROJECT):
                if upto is None:
                    build_first(container, lambda _, done, total: report(done, total))
                container.follower().run(report, upto)
        except RoleTakenError:
            time.sleep(_WAIT)


class SourceBalance:
    """What became of the messages that pass, whatever else is taken in meanwhile."""

    def __init__(self, container: Container) -> None:
        self._inbox = container.inbox()
        self._before: dict[str, Balance] = {}
        self._unreadable = 0

    def watch(self, messages: Iterable[OutgoingMessage]) -> Iterable[OutgoingMessage]:
        """Pass messages on; before the first of a source, note what was received of it already."""
        for message in messages:
            self._learn(message)
            yield message

    def result(self) -> Balance:
        """Return what was received of their sources since; what can't be read has none, and is quarantined."""
        total = Balance(self._unreadable, 0, 0, self._unreadable)
        for source, before in self._before.items():
            after = self._inbox.balance(source)
            total = Balance(*(t + a - b for t, a, b in zip(total, after, before, strict=True)))
        return total

    def _learn(self, message: OutgoingMessage) -> None:
        try:
            source = decode_envelope(message.payload).source
        except InvalidMessageError:
            self._unreadable += 1
            return
        if source not in self._before:
            self._before[source] = self._inbox.balance(source)
