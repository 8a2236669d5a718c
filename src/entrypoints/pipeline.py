"""The steps that several commands share: publish, take in, project."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable

from application.ingest.messages import InvalidMessageError, decode_envelope
from application.ingest.publishing import publish_all
from application.ports.inbox import Balance
from application.ports.message_stream import OutgoingMessage
from application.ports.role_lock import RoleTakenError
from entrypoints.container import Container

CONSUME = "consume"
PROJECT = "project"
GENERATIONS = (50_000, 20, 1_000)
SWITCH_SECONDS = 0.0005
Counted = Callable[[int, int | None], None]
_WAIT = 0.2


def tune_interpreter() -> None:
    """Suit the interpreter to ingest: collect garbage rarely, and hand over between threads quickly.

    States and messages form no cycles, yet looking for them costs a third of the time; the thread that
    commits needs the interpreter for moments only, but often.
    """
    gc.set_threshold(*GENERATIONS)
    sys.setswitchinterval(SWITCH_SECONDS)


def publish(container: Container, messages: Iterable[OutgoingMessage], report: Counted) -> int:
    """Publish messages to the stream; return how many."""
    return publish_all(container.topic_log(), messages, lambda done: report(done, None))


def take_in(container: Container, report: Counted) -> None:
    """Take in all that is in the stream now; where a consumer runs already, wait until it has done so."""
    tune_interpreter()
    ingest = container.ingest()
    total = ingest.behind()
    while left := ingest.behind():
        try:
            with container.roles().hold(CONSUME):
                ingest.catch_up(lambda _: report(total - ingest.behind(), total))
        except RoleTakenError:
            report(max(0, total - left), total)
            time.sleep(_WAIT)


def project(container: Container, report: Counted) -> None:
    """Bring the read models to the end of the log; where a follower runs already, wait until it is there."""
    store, read_model = container.event_store(), container.read_model()
    head = store.head()
    while read_model.position() < head:
        try:
            with container.roles().hold(PROJECT):
                container.follower().run(report)
        except RoleTakenError:
            time.sleep(_WAIT)


class SourceBalance:
    """What became of the messages of one source during a run."""

    def __init__(self, container: Container) -> None:
        self._inbox = container.inbox()
        self._source: str | None = None
        self._before = Balance(0, 0, 0, 0)

    def watch(self, messages: Iterable[OutgoingMessage]) -> Iterable[OutgoingMessage]:
        """Pass messages on; the first that can be read tells the source."""
        for message in messages:
            if self._source is None:
                self._learn(message)
            yield message

    def result(self) -> Balance:
        """Return what was received of the source since the first of its messages passed."""
        if self._source is None:
            return Balance(0, 0, 0, 0)
        after = self._inbox.balance(self._source)
        return Balance(*(a - b for a, b in zip(after, self._before, strict=True)))

    def _learn(self, message: OutgoingMessage) -> None:
        try:
            self._source = decode_envelope(message.payload).source
        except InvalidMessageError:
            return
        self._before = self._inbox.balance(self._source)
