"""`consume` at work: ingest, watched."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from prometheus_client import Metric

from application.ingest.observer import BatchReport
from application.ingest.service import Ingest
from application.ports.inbox import Balance
from application.ports.role_lock import Check
from entrypoints import pipeline
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.monitoring.logs import log_quarantined
from entrypoints.monitoring.metrics import ConsumeMetrics, lag_gauges
from entrypoints.monitoring.running import Service, answering, ending_in_time
from entrypoints.monitoring.tracing import BatchTracer, batch_tracer
from entrypoints.monitoring.waiting import Waiting
from entrypoints.monitoring.watch import Watch
from entrypoints.settings import Settings


@dataclass(frozen=True, slots=True)
class IngestObserver:
    """Passes on what ingest tells: to the heartbeat, the metrics, the logs and the traces."""

    watch: Watch
    still_held: Check
    metrics: ConsumeMetrics
    succeeded: Callable[[], None]
    quarantine_level: int
    tracer: BatchTracer | None

    def turned(self) -> None:
        """Beat, and end ingest where its role is lost."""
        self.watch.beat()
        self.still_held()

    def committed(self, batch: BatchReport) -> None:
        """Measure, log and trace a batch."""
        self.succeeded()
        self.metrics.committed(batch)
        log_quarantined(batch, self.quarantine_level)
        if self.tracer is not None:
            self.tracer.committed(batch)


def consume(settings: Settings, stop: Event, taken: Callable[[Balance], None], *, once: bool) -> None:
    """Take in messages until `stop` is set, through all outages; or `once` all that are there, and fail at one."""
    pipeline.tune_interpreter()
    watch = Watch()
    metrics, waiting = ConsumeMetrics(watch), Waiting()
    service = Service(settings, pipeline.CONSUME, stop, watch, metrics)
    # Structured logs are read by machines; people find what waits in quarantine in the summary.
    level = logging.WARNING if settings.log_format == "json" else logging.INFO
    with batch_tracer(pipeline.CONSUME) as tracer, ending_in_time(stop, done=not once):

        def observed(container: Container, check: Check) -> Ingest:
            observer = IngestObserver(watch, check, metrics, service.succeeded, level, tracer)
            return container.ingest(observer=observer)

        def work(container: Container, check: Check) -> None:
            ingest = observed(container, check)
            watch.working(lambda: _gauges(container, waiting))
            ingest.run(stop, taken)

        if once:
            with platform(settings) as container, pipeline.holding(container, pipeline.CONSUME) as check:
                observed(container, check).catch_up(taken, stop)
        else:
            with answering(settings, watch, metrics):
                service.run(work)


def _gauges(container: Container, waiting: Waiting) -> list[Metric]:
    """Ask the database and the stream how much waits, and for how long."""
    asked_at = time.monotonic()
    positions = container.inbox().positions()
    stream = container.topic_log()
    lag = stream.behind(positions)
    # Consumers share the partitions: each tells the lag of its own, so that the sum is right. The age is that of all
    # partitions, so that one that nobody reads is noticed.
    own = {partition: count for partition, count in lag.items() if stream.is_read_here(partition)}
    return lag_gauges(own, waiting.seconds(asked_at, positions, lag))
