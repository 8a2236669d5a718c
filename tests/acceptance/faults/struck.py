"""Run a `dataflow` command that a signal hits at one step of a batch.

    python -m tests.acceptance.faults.struck STEP before|after N KILL|STOP consume [--once]

The thread at the step sends the signal to itself, before or after its N-th such step once the first messages arrived.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg

from adapters.kafka.message_stream import KafkaMessageStream
from adapters.postgres.recorder import Recorder
from application.ingest import service
from entrypoints.cli.main import main

STEPS: dict[str, tuple[Any, str]] = {
    "poll": (KafkaMessageStream, "poll"),
    "decide": (service, "decide_batch"),
    "append": (Recorder, "_copy_events"),
    "commit": (psycopg.Transaction, "__exit__"),
    "acknowledge": (KafkaMessageStream, "acknowledge"),
}
"""Appending ends with the events written but not committed."""


class Blow(NamedTuple):
    """A signal, and the moment when it hits."""

    step: str
    moment: str
    number: int
    signal: str

    def words(self) -> list[str]:
        """Return the words of the command line."""
        return [self.step, self.moment, str(self.number), self.signal]


class Striker:
    """Counts the steps and sends the signal."""

    def __init__(self, blow: Blow) -> None:
        self._blow = blow
        self._left = blow.number
        self._busy = False

    def prepare(self) -> None:
        """Put itself around polling, which tells when there is work, and around the step."""
        _replace("poll", self._watching)
        _replace(self._blow.step, self._striking)

    def _watching(self, poll: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            messages = poll(*arguments, **named)
            self._busy = self._busy or bool(messages)
            return messages

        return watched

    def _striking(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def struck(*arguments: Any, **named: Any) -> Any:
            self._pass("before")
            result = step(*arguments, **named)
            self._pass("after")
            return result

        return struck

    def _pass(self, moment: str) -> None:
        if not self._busy or moment != self._blow.moment:
            return
        self._left -= 1
        if not self._left:
            signal.pthread_kill(threading.get_ident(), signal.Signals[f"SIG{self._blow.signal}"])


def _replace(step: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    owner, name = STEPS[step]
    setattr(owner, name, around(getattr(owner, name)))


if __name__ == "__main__":
    step, moment, number, name, *command = sys.argv[1:]
    Striker(Blow(step, moment, int(number), name)).prepare()
    sys.argv = ["dataflow", *command]
    main()
