"""Spans of batches, as an exporter gets them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from application.ingest.observer import BatchReport, Step
from application.ports.inbox import Balance, Outcome, Receipt
from application.ports.message_stream import Partition, ReceivedMessage, Trace
from entrypoints.monitoring.tracing import MAX_LINKS, BatchTracer, batch_tracer


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
    tracer.committed(BatchReport(Balance(10, 7, 2, 1), [], [], 9, positions, steps))
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


def receipt(number: int, **attributes: object) -> Receipt:
    envelope = {"specversion": "1.0", "id": str(number), "source": "shop", "type": "any", "data": {}, **attributes}
    payload = json.dumps(envelope).encode()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return Receipt("orders", 0, number, None, payload, f"shop {number}", Outcome.APPLIED, now)


def traceparent(trace: int, span: int = 7) -> str:
    return f"00-{trace:032x}-{span:016x}-01"


def links(
    tracer: BatchTracer,
    exporter: InMemorySpanExporter,
    receipts: Sequence[Receipt],
    traces: Mapping[int, Trace] = {},
) -> list[tuple[object, ...]]:
    """Return what the span of a batch is linked to: message, trace, span and vendor's state; headers by offset."""
    messages = [ReceivedMessage(*receipt[:5], traces.get(receipt.offset)) for receipt in receipts]
    now = time.perf_counter()
    balance = Balance(len(receipts), len(receipts), 0, 0)
    tracer.committed(BatchReport(balance, messages, receipts, 0, {}, [Step("append", now - 1, now)]))
    child, whole = exporter.get_finished_spans()
    assert not child.links
    return [
        ((link.attributes or {})["messaging.message.id"], c.trace_id, c.span_id, c.trace_state.to_header())
        for link in whole.links
        if (c := link.context)
    ]


def test_a_batch_is_linked_to_the_traces_of_its_messages(tracer: BatchTracer, exporter: InMemorySpanExporter) -> None:
    received = [
        receipt(1, traceparent=traceparent(10)),
        receipt(2),
        receipt(3, traceparent=traceparent(11, 8), tracestate="vendor=x"),
        receipt(4, traceparent=traceparent(12), tracestate=None),
    ]
    assert links(tracer, exporter, received) == [
        ("shop 1", 10, 7, ""),
        ("shop 3", 11, 8, "vendor=x"),
        ("shop 4", 12, 7, ""),
    ]


def test_a_trace_of_the_transport_counts_where_the_event_names_none(
    tracer: BatchTracer, exporter: InMemorySpanExporter
) -> None:
    received = [
        receipt(1),
        receipt(2, traceparent=traceparent(20)),
        receipt(3)._replace(payload=b"no JSON", message_id=None),
        receipt(4),
        receipt(5, traceparent=None),
    ]
    traces = {n: Trace(traceparent(n), "vendor=x") for n in (1, 2, 3, 5)} | {4: Trace("nonsense")}
    assert links(tracer, exporter, received, traces) == [
        ("shop 1", 1, 7, "vendor=x"),
        ("shop 2", 20, 7, ""),
        ("", 3, 7, "vendor=x"),
        ("shop 5", 5, 7, "vendor=x"),
    ]


def test_a_trace_that_can_not_be_read_is_none(tracer: BatchTracer, exporter: InMemorySpanExporter) -> None:
    received = [
        receipt(1, traceparent="nonsense"),
        receipt(2, traceparent=7),
        receipt(3, traceparent=traceparent(0)),
        receipt(4, traceparent=None),
        receipt(5, data={"traceparent": traceparent(10)}),
        receipt(6)._replace(payload=b'{"traceparent": '),
        receipt(7)._replace(payload=b'\xff"traceparent"'),
    ]
    assert links(tracer, exporter, received) == []


def test_the_links_of_a_batch_have_a_bound(tracer: BatchTracer, exporter: InMemorySpanExporter) -> None:
    found = links(tracer, exporter, [receipt(n, traceparent=traceparent(n)) for n in range(1, 1_000)])
    assert [link[0] for link in found] == [f"shop {n}" for n in range(1, MAX_LINKS + 1)]


def test_nothing_is_traced_where_no_endpoint_is_set() -> None:
    with batch_tracer("consume", {}) as tracer:
        assert tracer is None
