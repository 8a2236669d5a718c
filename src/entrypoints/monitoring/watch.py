"""How a long-running command is doing: told by its loop, asked by the threads of the health server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Event, Lock, Thread

from prometheus_client import Metric

LIVE_SECONDS = 120.0
"""A loop that did not go round for so long hangs; longer than any wait, of which that for a delivery is 60 s."""
PATIENCE_SECONDS = 2.0
"""How long a question to the database and the stream may take."""

Question = Callable[[], Iterable[Metric]]


class NotReadyError(Exception):
    """The command can't do its work now; the message says why."""


class Probe:
    """Asks a question on a thread of its own, one at a time, so that whoever asks never hangs with it."""

    def __init__(self, question: Question, patience: float = PATIENCE_SECONDS) -> None:
        self._question = question
        self._patience = patience
        self._lock = Lock()
        self._asked: Future[list[Metric]] | None = None

    def ask(self) -> list[Metric]:
        """Return the answer; where one is on its way already, that one.

        Raises:
            NotReadyError: there is no answer, or none in time.
        """
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                Thread(target=self._answer, args=(self._asked,), daemon=True).start()
            asked = self._asked
        try:
            return asked.result(self._patience)
        except TimeoutError:
            raise NotReadyError(f"no answer within {self._patience:g} s") from None
        except Exception as error:
            raise NotReadyError(str(error)) from error

    def _answer(self, asked: Future[list[Metric]]) -> None:
        try:
            asked.set_result(list(self._question()))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            asked.set_exception(error)


class Watch:
    """The heartbeat of a command's loop, and a question that only a working command can answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat = clock()
        self._probe: Probe | None = None
        self._why_not = "starting"

    def beat(self) -> None:
        """Note that the loop goes round."""
        self._beat = self._clock()

    @contextmanager
    def beating(self, seconds: float = LIVE_SECONDS / 4) -> Iterator[None]:
        """Beat by itself while something goes on whose steps may take as long as they do."""
        ended = Event()

        def beat() -> None:
            while not ended.wait(seconds):
                self.beat()

        Thread(target=beat, name="beat", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def working(self, question: Question) -> None:
        """Note that the command works; `question` asks the database and the stream how far it is."""
        self._probe = Probe(question)
        self.beat()

    def away(self, why: str) -> None:
        """Note that the command can't work."""
        self._probe, self._why_not = None, why
        self.beat()

    def silence(self) -> float:
        """Return the seconds since the last beat."""
        return self._clock() - self._beat

    def ask(self) -> list[Metric]:
        """Return the answer of the command at work.

        Raises:
            NotReadyError: it is not at work, or what it needs does not answer.
        """
        probe = self._probe
        if probe is None:
            raise NotReadyError(self._why_not)
        return probe.ask()
