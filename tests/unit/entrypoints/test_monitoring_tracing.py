"""Spans of batches, as an exporter gets them."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from application.ingest.observer import BatchReport, Step
from application.ports.inbox import Balance
from application.ports.message_stream import Partition
from entrypoints.monitoring.tracing import BatchTracer, batch_tracer


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> BatchTracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return BatchTracer(provider.get_tracer("test"))


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    assert span.attributes is not None
    return span.attributes


def test_a_batch_is_a_span_with_its_steps_inside(tracer: BatchTracer, exporter: InMemorySpanExporter) -> None:
    now = time.perf_counter()
    steps = [Step("decode", now - 6, now - 5), Step("decide", now - 5, now - 3), Step("append", now - 2, now)]
    positions = {Partition("orders", 0): 8, Partition("inventory", 3): 41}
    tracer.committed(BatchReport(Balance(10, 7, 2, 1), [], 9, positions, steps))
    *children, whole = exporter.get_finished_spans()
    assert whole.name == "consume batch"
    assert seconds(whole) == pytest.approx(6, abs=1e-3)
    assert whole.end_time == pytest.approx(time.time_ns(), abs=5e9)
    assert {child.name: round(seconds(child), 3) for child in children} == {"decode": 1, "decide": 2, "append": 2}
    assert whole.context is not None
    for child in children:
        assert child.parent is not None
        assert child.parent.span_id == whole.context.span_id
    assert dict(attributes(whole)) == {
        "messaging.batch.message_count": 10,
        "dataflow.applied": 7,
        "dataflow.duplicate": 2,
        "dataflow.quarantined": 1,
        "dataflow.events": 9,
        "dataflow.last_offsets": ("orders/0@7", "inventory/3@40"),
    }


def test_a_projected_batch_is_a_span(tracer: BatchTracer, exporter: InMemorySpanExporter) -> None:
    now = time.perf_counter()
    tracer.followed("project", Step("apply", now - 1, now), 120, 4_711)
    child, whole = exporter.get_finished_spans()
    assert (child.name, whole.name) == ("apply", "project batch")
    assert attributes(whole)["dataflow.last_position"] == 4_711
    assert seconds(whole) == pytest.approx(1, abs=1e-3)


def test_nothing_is_traced_where_no_endpoint_is_set() -> None:
    with batch_tracer("consume", {}) as tracer:
        assert tracer is None
