"""How far a command that follows the log is behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from application.ports.event_store import Batch, NewEvent
from entrypoints.monitoring.following import Command, Steps
from entrypoints.monitoring.metrics import FollowMetrics
from entrypoints.monitoring.watch import Watch


@pytest.mark.parametrize(("age", "told"), [(timedelta(hours=1), 3_600.0), (timedelta(hours=-1), 0.0)])
def test_what_a_clock_that_is_ahead_recorded_is_not_younger_than_new(age: timedelta, told: float) -> None:
    meta = {"recorded_at": datetime.now(UTC) - age, "causation_id": "m", "correlation_id": "c", "source": "orders/0@1"}
    store = MemoryEventStore(MemoryDatabase())
    store.append(Batch(events=[NewEvent("order-1", 1, "Noted.v1", msgspec.json.encode({"meta": meta, "data": {}}))]))
    metrics = FollowMetrics("project", Watch())
    steps = Steps(
        Command("project", "apply", 0.0), store, step=lambda: 0, position=lambda: 0, metrics=metrics, tracer=None
    )
    found = {metric.name: metric.samples[0].value for metric in steps.gauges()}
    assert found["dataflow_project_behind_seconds"] == pytest.approx(told, abs=10)
    assert found["dataflow_project_behind_seconds"] >= 0
    assert found["dataflow_project_behind_positions"] == 1
