"""The commands that go on until they are stopped: they outlive their servers, and end when asked."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from adapters.postgres.log_identity import OtherLogError
from application.errors import PlatformError
from application.ports.event_store import StoreUnavailableError
from application.ports.message_stream import RecreatedTopicError, StreamUnavailableError
from application.ports.read_model import CheckpointMovedError, ReadModelUnavailableError
from application.ports.role_lock import Check, RoleLostError
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.monitoring import health
from entrypoints.monitoring.metrics import Metrics
from entrypoints.monitoring.retry import CAP_SECONDS, Backoff, keep_trying
from entrypoints.monitoring.watch import Watch
from entrypoints.pipeline import holding
from entrypoints.settings import Settings

log = logging.getLogger(__name__)

AWAY = (
    StoreUnavailableError,
    StreamUnavailableError,
    ReadModelUnavailableError,
    CheckpointMovedError,
    RoleLostError,
)
"""Errors that pass: a server is away, somebody else moved the read models on, or the role has to be taken again."""
Work = Callable[[Container, Check], None]
"""What a command does with the platform; it calls the check every time that its loop goes round."""
STOP_SECONDS = 3.5
"""How long a command may take to end once it is asked to: five are promised, on a busy machine too."""


class Service:
    """A command that holds a role: opens the platform, works, and begins anew where a server went away.

    The platform is opened anew each time, which also starts the embedded server again.
    """

    def __init__(
        self,
        settings: Settings,
        role: str,
        stop: Event,
        watch: Watch,
        metrics: Metrics,
        *,
        passing: tuple[type[PlatformError], ...] = (),
        roles: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        self._role = role
        self._roles = roles or (role,)
        self._stop = stop
        self._watch = watch
        self._metrics = metrics
        self._passing = AWAY + passing
        self._backoff = Backoff()
        self._worked = False
        self._opening = True

    def run(self, work: Work) -> None:
        """Work until the stop is set.

        Raises:
            PlatformError: something that does not pass by itself.
        """
        keep_trying(
            lambda: self._attempt(work),
            passes=self._passes,
            backoff=self._backoff,
            wait=self._stop.wait,
            failed=self._failed,
        )

    def succeeded(self) -> None:
        """Note a success: the next failure is the first one again."""
        self._backoff.reset()

    def _attempt(self, work: Work) -> None:
        self._opening = True
        self._watch.beat()
        with platform(self._settings) as container, holding_all(container, self._roles) as check:
            self._opening, self._worked = False, True
            began = time.monotonic()
            log.info("%s is at work", self._role)
            try:
                work(container, check)
                self._watch.away("stopping")
            except PlatformError as error:
                self._watch.away(_line(error))
                if time.monotonic() - began > CAP_SECONDS:
                    self.succeeded()
                raise

    def _passes(self, error: PlatformError) -> bool:
        """Once it has worked, what stops it from opening again passes: a recovery, an old lock; not another log."""
        reopening = self._opening and self._worked and not isinstance(error, OtherLogError | RecreatedTopicError)
        return reopening or isinstance(error, self._passing)

    def _failed(self, error: PlatformError, seconds: float) -> None:
        reason = _line(error)
        self._watch.away(reason)
        self._metrics.retried(error)
        if not self._stop.is_set():
            fields = {"error": type(error).__name__, "retry_seconds": round(seconds, 3)}
            log.warning("%s waits %.1f s and tries again: %s", self._role, seconds, reason, extra=fields)


@contextmanager
def holding_all(container: Container, roles: Iterable[str]) -> Iterator[Check]:
    """Hold several roles; the check is of all of them."""
    with ExitStack() as stack:
        checks = [stack.enter_context(holding(container, role)) for role in roles]

        def check() -> None:
            for each in checks:
                each()

        yield check


@contextmanager
def answering(settings: Settings, watch: Watch, metrics: Metrics) -> Iterator[None]:
    """Answer health checks and fetches of metrics, where a port is set for them."""
    with ExitStack() as stack:
        if settings.health_port is not None:
            pages = health.pages(watch, metrics.registry)
            stack.enter_context(health.served(settings.health_host, settings.health_port, pages))
        yield


@contextmanager
def ending_in_time(stop: Event, seconds: float = STOP_SECONDS, *, done: bool = True) -> Iterator[None]:
    """End the process where a server that hangs keeps it from ending after a stop; with exit code 0 if that is `done`.

    Nothing is lost by it: what was not committed is read again at the next start.
    """
    ended = Event()

    def guard() -> None:
        stop.wait()
        if not ended.wait(seconds):
            log.warning("a server takes too long: ending without waiting for it")
            logging.shutdown()
            os._exit(0 if done else 1)

    Thread(target=guard, name="stop", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _line(error: PlatformError) -> str:
    return " ".join(str(error).split())
