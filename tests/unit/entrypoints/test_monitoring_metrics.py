"""The figures that Prometheus fetches."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from application.errors import PlatformError
from application.ingest.observer import BatchReport, Step
from application.ports.event_store import StoreUnavailableError
from application.ports.inbox import Balance, Outcome, Receipt
from application.ports.message_stream import Partition
from entrypoints.monitoring.metrics import (
    Behind,
    ConsumeMetrics,
    FollowMetrics,
    Metrics,
    RelayMetrics,
    behind_gauges,
    lag_gauges,
    letter_gauges,
)
from entrypoints.monitoring.watch import Watch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def receipt(outcome: Outcome) -> Receipt:
    return Receipt("orders", 0, 7, None, b"{}", "m", outcome, NOW)


BATCH = BatchReport(
    Balance(3, 1, 1, 1),
    [],
    [receipt(outcome) for outcome in Outcome],
    events=2,
    positions={Partition("orders", 0): 8},
    steps=[Step("decode", 10.0, 10.5), Step("decide", 10.5, 11.5), Step("append", 13.0, 15.0)],
)


def figures(metrics: Metrics) -> dict[str, float]:
    """Return what is fetched: each sample under its name and labels, as it is written."""
    text = generate_latest(metrics.registry).decode()
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def consuming() -> tuple[Watch, ConsumeMetrics]:
    watch = Watch()
    return watch, ConsumeMetrics(watch)


def test_messages_are_counted_by_what_became_of_them() -> None:
    _, metrics = consuming()
    before = figures(metrics)
    assert before["dataflow_consume_messages_total outcome=quarantined"] == 0
    metrics.committed(BATCH)
    metrics.committed(BATCH)
    found = figures(metrics)
    for outcome in ("applied", "duplicate", "quarantined"):
        assert found[f"dataflow_consume_messages_total outcome={outcome}"] == 2
    assert found["dataflow_consume_events_total"] == 4


def test_batches_are_measured_by_size_time_and_step() -> None:
    _, metrics = consuming()
    metrics.committed(BATCH)
    found = figures(metrics)
    assert found["dataflow_consume_batch_messages_sum"] == 3
    assert found["dataflow_consume_batch_messages_bucket le=10.0"] == 1
    assert found["dataflow_consume_batch_messages_bucket le=1.0"] == 0
    assert found["dataflow_consume_batch_seconds_sum"] == 5.0
    steps = {step: found[f"dataflow_consume_step_seconds_sum step={step}"] for step in ("decode", "decide", "append")}
    assert steps == {"decode": 0.5, "decide": 1.0, "append": 2.0}


def test_the_time_of_the_last_batch_is_told() -> None:
    _, metrics = consuming()
    assert math.isnan(figures(metrics)["dataflow_last_batch_timestamp_seconds"])
    metrics.committed(BATCH)
    assert figures(metrics)["dataflow_last_batch_timestamp_seconds"] == NOW.timestamp()


def test_freshness_is_the_age_of_what_waits_however_old_the_last_batch_is() -> None:
    watch, metrics = consuming()
    metrics.committed(BATCH)
    assert "dataflow_freshness_seconds" not in figures(metrics), "nobody knows while it is not at work"
    for seconds in (0.0, 42.5):
        watch.working(lambda: lag_gauges({Partition("orders", 0): 5}, seconds))  # noqa: B023 - asked at once
        found = figures(metrics)
        assert found["dataflow_freshness_seconds"] == found["dataflow_consume_behind_seconds"] == seconds


def test_freshness_of_several_followers_is_that_of_the_last_one() -> None:
    watch = Watch()
    metrics = FollowMetrics("process", watch)
    behind = {"process_fulfilment": Behind(9, 1, 2.5), "process_replenishment": Behind(7, 3, 60.0)}
    watch.working(lambda: [each for name, far in behind.items() for each in behind_gauges(name, far)])
    assert figures(metrics)["dataflow_freshness_seconds"] == 60


def test_lag_is_told_per_partition_while_at_work() -> None:
    watch, metrics = consuming()
    watch.working(lambda: lag_gauges({Partition("orders", 0): 5, Partition("orders", 1): 0}, 3.0))
    found = figures(metrics)
    assert found["dataflow_ready"] == 1
    assert found["dataflow_consume_lag_messages partition=0 topic=orders"] == 5
    assert found["dataflow_consume_lag_messages partition=1 topic=orders"] == 0


def test_what_is_known_is_told_while_a_server_is_away() -> None:
    watch, metrics = consuming()
    metrics.committed(BATCH)

    def question() -> list[Metric]:
        raise StoreUnavailableError("gone")

    watch.working(question)
    found = figures(metrics)
    assert found["dataflow_ready"] == 0
    assert found["dataflow_consume_messages_total outcome=applied"] == 1
    assert not [name for name in found if name.startswith("dataflow_consume_lag")]


def test_retries_are_counted_by_error() -> None:
    _, metrics = consuming()
    for error in (StoreUnavailableError("gone"), StoreUnavailableError("gone"), PlatformError("locked")):
        metrics.retried(error)
    found = figures(metrics)
    assert found["dataflow_retries_total error=StoreUnavailableError"] == 2
    assert found["dataflow_retries_total error=PlatformError"] == 1


def test_the_follower_tells_how_far_it_is_behind() -> None:
    watch = Watch()
    metrics = FollowMetrics("project", watch)
    metrics.followed(250, 0.5, NOW)
    watch.working(lambda: behind_gauges("project", Behind(position=1_000, positions=40, seconds=2.5)))
    found = figures(metrics)
    assert found["dataflow_project_events_total"] == 250
    assert found["dataflow_project_batch_events_sum"] == 250
    assert found["dataflow_project_batch_seconds_sum"] == 0.5
    assert found["dataflow_freshness_seconds"] == 2.5
    assert found["dataflow_project_position"] == 1_000
    assert found["dataflow_project_behind_positions"] == 40
    assert found["dataflow_project_behind_seconds"] == 2.5


def test_the_relay_tells_of_dead_letters_beside_events() -> None:
    watch = Watch()
    metrics = RelayMetrics("relay", watch)
    metrics.followed(7, 0.5, NOW)
    metrics.sent(3)
    watch.working(lambda: letter_gauges(5))
    found = figures(metrics)
    assert found["dataflow_relay_events_total"] == 7
    assert found["dataflow_relay_dead_letters_total"] == 3
    assert found["dataflow_relay_dead_letters_waiting"] == 5


def test_the_version_that_runs_is_told() -> None:
    _, metrics = consuming()
    builds = [name for name in figures(metrics) if name.startswith("dataflow_build_info")]
    assert builds == [f"dataflow_build_info version={version('dataflow-platform')}"]
