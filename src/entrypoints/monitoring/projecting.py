"""`project` at work: the follower of the read models, watched."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from entrypoints import pipeline
from entrypoints.container import Container
from entrypoints.monitoring.following import Command, Steps, follow
from entrypoints.monitoring.metrics import FollowMetrics
from entrypoints.monitoring.tracing import BatchTracer
from entrypoints.monitoring.watch import Watch
from entrypoints.settings import Settings

PROJECT = Command(pipeline.PROJECT, "apply", idle_seconds=0.05)


def project(
    settings: Settings,
    stop: Event,
    applied: Callable[[int], None],
    *,
    once: bool,
    at_end: Callable[[Container], None] | None = None,
) -> None:
    """Apply events until `stop` is set, through all outages; or `once` to the end of the log, and fail at one.

    `applied(count)` is called after each step, with `once` also `at_end` at the end of the log.
    """
    watch = Watch()
    metrics = FollowMetrics(PROJECT.role, watch)

    def begin(container: Container, tracer: BatchTracer | None) -> Steps:
        return Steps(
            PROJECT,
            container.event_store(),
            step=container.follower().step,
            position=container.read_model().position,
            metrics=metrics,
            tracer=tracer,
        )

    follow(PROJECT, begin, settings, stop, applied, watch=watch, metrics=metrics, once=once, at_end=at_end)
