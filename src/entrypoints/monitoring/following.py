"""A command that follows the log, watched: what `project` and `relay` have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol

import msgspec
from prometheus_client import Metric

from application.codec import Metadata
from application.errors import PlatformError
from application.ingest.observer import Step
from application.ports.event_store import EventStore, RecordedEvent
from application.ports.role_lock import Check
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.monitoring.metrics import Behind, FollowMetrics, behind_gauges
from entrypoints.monitoring.running import Service, answering, ending_in_time, holding_all
from entrypoints.monitoring.tracing import BatchTracer, batch_tracer
from entrypoints.monitoring.watch import Watch
from entrypoints.settings import Settings


class Following(Protocol):
    """The work of a command on one opened platform."""

    def step(self) -> int:
        """Do the next piece; return how many events or messages it was, 0 when there is nothing to do."""

    def gauges(self) -> Iterable[Metric]:
        """Ask the servers that it needs how far the work is; any thread may ask."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that follows the log: its role, what its step is called, how long it waits at the end.

    Errors of the kinds in `passing` are waited out as outages are. It holds its role, or those in `roles`.
    """

    role: str
    step: str
    idle_seconds: float
    passing: tuple[type[PlatformError], ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """The roles that it holds."""
        return self.roles or (self.role,)


def follow(
    command: Command,
    begin: Callable[[Container, BatchTracer | None], Following],
    settings: Settings,
    stop: Event,
    done: Callable[[int], None],
    *,
    watch: Watch,
    metrics: FollowMetrics,
    once: bool,
    at_end: Callable[[Container], None] | None = None,
) -> None:
    """Work until `stop` is set, through all outages; or `once` to the end of the log, and fail at one.

    `begin` is called whenever the platform is opened, `done(count)` after each step, with `once` also `at_end` where
    the end was reached.
    """
    service = Service(settings, command.role, stop, watch, metrics, passing=command.passing, roles=command.held)
    with batch_tracer(command.role) as tracer, ending_in_time(stop, done=not once):

        def work(container: Container, check: Check) -> None:
            following = begin(container, tracer)
            ready = False
            while not stop.is_set():
                check()
                count = following.step()
                done(count)
                watch.beat()
                if not ready:
                    ready = True
                    watch.working(following.gauges)
                if count:
                    service.succeeded()
                elif once or stop.wait(command.idle_seconds):
                    return

        if once:
            with platform(settings) as container:
                with holding_all(container, command.held) as check:
                    work(container, check)
                if at_end is not None and not stop.is_set():
                    at_end(container)
        else:
            with answering(settings, watch, metrics):
                service.run(work)


class Steps:
    """Steps along the log on one opened platform, each measured and traced under the name of its command."""

    def __init__(
        self,
        command: Command,
        store: EventStore,
        *,
        step: Callable[[], int],
        position: Callable[[], int],
        metrics: FollowMetrics,
        tracer: BatchTracer | None,
    ) -> None:
        self._command = command
        self._store = store
        self._step = step
        self._reached = position
        self._metrics = metrics
        self._tracer = tracer
        self._position = position()

    def step(self) -> int:
        """Do the next batch; return the number of events, 0 at the end of the log."""
        began = time.perf_counter()
        count = self._step()
        if count:
            ended = time.perf_counter()
            self._position = self._reached()
            (last,) = self._store.read(self._position - 1, 1)
            self._metrics.followed(count, ended - began, _recorded_at(last))
            if self._tracer is not None:
                step = Step(self._command.step, began, ended)
                self._tracer.followed(self._command.role, step, count, self._position)
        else:
            # A reader may have passed over events that do not concern it.
            self._position = self._reached()
        return count

    def gauges(self) -> list[Metric]:
        """Ask the log how far this is behind it."""
        return behind_gauges(self._command.role, self._behind())

    def _behind(self) -> Behind:
        position = self._position
        waiting = self._store.read(position, 1)
        if not waiting:
            return Behind(position, 0, 0.0)
        # The clock of whoever recorded it may be ahead of this one.
        seconds = max(0.0, time.time() - _recorded_at(waiting[0]).timestamp())
        return Behind(position, self._store.head() - position, seconds)


class _Stored(msgspec.Struct):
    meta: Metadata


_DECODER = msgspec.json.Decoder(_Stored)


def _recorded_at(event: RecordedEvent) -> datetime:
    return _DECODER.decode(event.state).meta.recorded_at
