"""`project` at work: the follower of the read models, watched."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from application.ports.read_model import PhaseProgress
from entrypoints import pipeline
from entrypoints.container import Container
from entrypoints.first_build import build_first
from entrypoints.monitoring.following import Command, Steps, follow
from entrypoints.monitoring.metrics import FollowMetrics
from entrypoints.monitoring.tracing import BatchTracer
from entrypoints.monitoring.watch import Watch
from entrypoints.onward import faster_than_following
from entrypoints.settings import Settings

log = logging.getLogger(__name__)


class _StoppedError(Exception):
    """The command was asked to stop while it built."""


PROJECT = Command(pipeline.PROJECT, "apply", idle_seconds=0.05)


def project(
    settings: Settings,
    stop: Event,
    applied: Callable[[int], None],
    building: PhaseProgress,
    *,
    once: bool,
    at_end: Callable[[Container], None] | None = None,
) -> None:
    """Apply events until `stop` is set, through all outages; or `once` to the end of the log, and fail at one.

    `applied(count)` is called after each step, with `once` also `at_end` at the end of the log. A first build reports
    to `building`; asked to stop, it is dropped, or left to be gone on with.
    """
    watch = Watch()
    metrics = FollowMetrics(PROJECT.role, watch)

    def report(phase: str, done: int, total: int) -> None:
        watch.away("building the read models for the first time")
        if stop.is_set():
            raise _StoppedError
        building(phase, done, total)

    def begin(container: Container, tracer: BatchTracer | None) -> Steps:
        with suppress(_StoppedError), watch.beating():
            if count := build_first(container, report):
                applied(count)
        _warn_if_far_behind(container)
        return Steps(
            PROJECT,
            container.event_store(),
            step=container.follower().step,
            position=container.read_model().position,
            metrics=metrics,
            tracer=tracer,
        )

    follow(PROJECT, begin, settings, stop, applied, watch=watch, metrics=metrics, once=once, at_end=at_end)


def _warn_if_far_behind(container: Container) -> None:
    position, head = container.read_model().position(), container.event_store().head()
    if advice := faster_than_following(position, head, "this"):
        log.warning(advice)
