"""`project` at work: the follower, watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from threading import Event

from application import codec
from application.ports.event_store import EventStore, RecordedEvent
from application.ports.role_lock import Check
from entrypoints import pipeline
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.monitoring.metrics import Behind, ProjectMetrics, behind_gauges
from entrypoints.monitoring.running import Service, answering, ending_in_time
from entrypoints.monitoring.tracing import BatchTracer, batch_tracer
from entrypoints.monitoring.watch import Watch
from entrypoints.settings import Settings

IDLE = 0.05
"""Seconds that a follower waits when it is at the end of the log."""


class Following:
    """Steps of the follower on one opened platform, each measured."""

    def __init__(self, container: Container, metrics: ProjectMetrics, tracer: BatchTracer | None) -> None:
        self._store: EventStore = container.event_store()
        self._read_model = container.read_model()
        self._follower = container.follower()
        self._metrics = metrics
        self._tracer = tracer
        self._position = self._read_model.position()

    def step(self) -> int:
        """Apply the next batch; return the number of events applied, 0 when caught up."""
        began = time.perf_counter()
        count: int = self._follower.step()
        if count:
            seconds = time.perf_counter() - began
            self._position = self._read_model.position()
            (last,) = self._store.read(self._position - 1, 1)
            self._metrics.applied(count, seconds, _recorded_at(last))
            if self._tracer is not None:
                self._tracer.applied(count, self._position, began, began + seconds)
        return count

    def behind(self) -> Behind:
        """Ask the log how far the read models are behind it; any thread may ask."""
        position = self._position
        waiting = self._store.read(position, 1)
        if not waiting:
            return Behind(position, 0, 0.0)
        return Behind(position, self._store.head() - position, time.time() - _recorded_at(waiting[0]).timestamp())


def project(settings: Settings, stop: Event, applied: Callable[[int], None], *, once: bool) -> None:
    """Apply events until `stop` is set, through all outages; or `once` to the end of the log, and fail at one.

    `applied(count)` is called after each step.
    """
    watch = Watch()
    metrics = ProjectMetrics(watch)
    service = Service(settings, pipeline.PROJECT, stop, watch, metrics)
    with batch_tracer(pipeline.PROJECT) as tracer, ending_in_time(stop):

        def follow(container: Container, check: Check) -> None:
            following = Following(container, metrics, tracer)
            watch.working(lambda: behind_gauges(following.behind()))
            while not stop.is_set():
                check()
                count = following.step()
                applied(count)
                watch.beat()
                if count:
                    service.succeeded()
                elif once or stop.wait(IDLE):
                    return

        if once:
            with platform(settings) as container, pipeline.holding(container, pipeline.PROJECT) as check:
                follow(container, check)
        else:
            with answering(settings, watch, metrics):
                service.run(follow)


def _recorded_at(event: RecordedEvent) -> datetime:
    return codec.decode_with_metadata(*event)[1].recorded_at
