"""What Prometheus is told about a long-running command. Names follow https://prometheus.io/docs/practices/naming/."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from application.ingest.observer import BatchReport
from application.ports.inbox import Outcome
from application.ports.message_stream import Partition
from entrypoints.monitoring.watch import NotReadyError, Watch

BEHIND_SECONDS = "_behind_seconds"
SIZES = (1, 10, 50, 100, 500, 1_000, 2_000, 4_000, 10_000, 20_000, 100_000)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Behind(NamedTuple):
    """How far a follower is behind the log: in positions, and by the age of the first event that waits for it."""

    position: int
    positions: int
    seconds: float


class Metrics:
    """What is measured of every command: its beginnings, and how old the data is that it carried on last."""

    def __init__(self, watch: Watch) -> None:
        self.registry = CollectorRegistry()
        self._last = math.nan
        self._retries = Counter(
            "dataflow_retries",
            "Times that the command began again because a server was away.",
            ["error"],
            registry=self.registry,
        )
        build = Info("dataflow_build", "The version of the platform that runs.", registry=self.registry)
        build.info({"version": version("dataflow-platform")})
        last = Gauge(
            "dataflow_last_batch_timestamp_seconds",
            "Time of the last batch's data. NaN before the first.",
            registry=self.registry,
        )
        last.set_function(lambda: self._last)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(_Answers(watch))

    def retried(self, error: Exception) -> None:
        """Count one more beginning."""
        self._retries.labels(type(error).__name__).inc()

    def carried(self, at: datetime) -> None:
        """Note when the data of the batch just done was received or recorded."""
        self._last = at.timestamp()

    def histogram(self, name: str, documentation: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """Return a new histogram."""
        return Histogram(name, documentation, labels, buckets=buckets, registry=self.registry)


class ConsumeMetrics(Metrics):
    """What is measured of `consume`."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self._messages = Counter(
            "dataflow_consume_messages", "Messages, by what became of them.", ["outcome"], registry=self.registry
        )
        self._events = Counter("dataflow_consume_events", "Events appended to the log.", registry=self.registry)
        for outcome in Outcome:
            self._messages.labels(outcome.value)
        self._size = self.histogram("dataflow_consume_batch_messages", "Messages of a batch.", SIZES)
        self._seconds = self.histogram("dataflow_consume_batch_seconds", "From decoding to durable.", SECONDS)
        self._step = self.histogram("dataflow_consume_step_seconds", "Each step of a batch.", SECONDS, "step")

    def committed(self, batch: BatchReport) -> None:
        """Measure a batch."""
        for outcome in Outcome:
            self._messages.labels(outcome.value).inc(getattr(batch.balance, outcome.value))
        self._events.inc(batch.events)
        self._size.observe(batch.balance.received)
        self._seconds.observe(batch.steps[-1].ended - batch.steps[0].began)
        for step in batch.steps:
            self._step.labels(step.name).observe(step.ended - step.began)
        self.carried(batch.receipts[-1].received_at)


class FollowMetrics(Metrics):
    """What is measured of a command that follows the log, `project` or `relay`."""

    def __init__(self, command: str, watch: Watch) -> None:
        super().__init__(watch)
        name = f"dataflow_{command}"
        self._events = Counter(f"{name}_events", "Events applied or sent.", registry=self.registry)
        self._size = self.histogram(f"{name}_batch_events", "Events of a batch.", SIZES)
        self._seconds = self.histogram(f"{name}_batch_seconds", "From reading to durable.", SECONDS)

    def followed(self, events: int, seconds: float, recorded_at: datetime) -> None:
        """Measure a batch whose last event was recorded at `recorded_at`."""
        self._events.inc(events)
        self._size.observe(events)
        self._seconds.observe(seconds)
        self.carried(recorded_at)


class RelayMetrics(FollowMetrics):
    """What is measured of `relay`."""

    def __init__(self, command: str, watch: Watch) -> None:
        super().__init__(command, watch)
        self._letters = Counter(
            f"dataflow_{command}_dead_letters", "Quarantined messages sent as dead letters.", registry=self.registry
        )

    def sent(self, letters: int) -> None:
        """Count dead letters."""
        self._letters.inc(letters)


def lag_gauges(lag: Mapping[Partition, int], seconds: float) -> list[Metric]:
    """Return the messages that wait in each partition, and for how many seconds the oldest may have waited."""
    gauge = GaugeMetricFamily(
        "dataflow_consume_lag_messages",
        "Messages beyond its recorded position in a partition that this process reads.",
        labels=["topic", "partition"],
    )
    for (topic, number), count in sorted(lag.items()):
        gauge.add_metric([topic, str(number)], count)
    behind = GaugeMetricFamily(
        f"dataflow_consume{BEHIND_SECONDS}",
        "Age that the first message not taken in yet has at most, within the interval of fetches; 0 where none waits.",
        value=seconds,
    )
    return [gauge, behind]


def behind_gauges(command: str, behind: Behind) -> list[Metric]:
    """Return how far a command is behind the log."""
    name = f"dataflow_{command}"
    return [
        GaugeMetricFamily(f"{name}_position", "Position of the last event applied or sent.", value=behind.position),
        GaugeMetricFamily(
            f"{name}_behind_positions",
            "Positions of the log, which has gaps, beyond the last event applied or sent.",
            value=behind.positions,
        ),
        GaugeMetricFamily(
            f"{name}{BEHIND_SECONDS}",
            "Age of the first event not applied or sent yet; 0 at the end of the log.",
            value=behind.seconds,
        ),
    ]


def letter_gauges(waiting: int) -> list[Metric]:
    """Return how many quarantined messages did not go out yet."""
    name, documentation = "dataflow_relay_dead_letters_waiting", "Quarantined messages not sent as dead letters yet."
    return [GaugeMetricFamily(name, documentation, value=waiting)]


class _Answers(Collector):
    """Asks the command at work how far it is, whenever the metrics are fetched."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """Give the answer, and whether there was one."""
        answer: Iterable[Metric] = ()
        ready = 1
        try:
            answer = self._watch.ask()
        except NotReadyError:
            ready = 0
        yield GaugeMetricFamily("dataflow_ready", "1 while the command works and its servers answer.", value=ready)
        yield from answer
        if waits := [
            each.value for metric in answer if metric.name.endswith(BEHIND_SECONDS) for each in metric.samples
        ]:
            documentation = "Age of what was not taken in, applied or sent yet, the greatest of *_behind_seconds."
            yield GaugeMetricFamily("dataflow_freshness_seconds", documentation, value=max(waits))
