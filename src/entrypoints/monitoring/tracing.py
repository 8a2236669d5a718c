"""Traces: a span for each batch, with its steps, sent where OTEL_EXPORTER_OTLP_ENDPOINT says.

The source of a recorded event names topic, partition and offset; the span of the batch that carried it names
its last offset in each partition, so that a row leads to its event, its message, and the span. That
span is linked to the traces that its messages name, so that a trace of their source leads to it as well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from application.codec import UNREADABLE
from application.ingest.observer import BatchReport, Step
from application.ports.inbox import Receipt
from application.ports.message_stream import ReceivedMessage, Trace
from entrypoints.settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Link, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_SECONDS = 2.0
MAX_LINKS = 128
"""Messages that the span of a batch is linked to at most, the first ones: as many as OpenTelemetry keeps by default."""
Attributes = dict[str, int | str | list[str]]


class _Traced(msgspec.Struct):
    """The attributes of an envelope that say which trace its message belongs to.

    https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md
    """

    traceparent: str | None = None
    tracestate: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Traced)


class BatchTracer:
    """Makes spans of batches that are done."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def committed(self, batch: BatchReport) -> None:
        """Record a batch that was taken in, and its steps."""
        self._record(
            "consume batch",
            {
                "messaging.batch.message_count": batch.balance.received,
                "dataflow.applied": batch.balance.applied,
                "dataflow.duplicate": batch.balance.duplicate,
                "dataflow.quarantined": batch.balance.quarantined,
                "dataflow.events": batch.events,
                "dataflow.last_offsets": [f"{p.topic}/{p.number}@{n - 1}" for p, n in batch.positions.items()],
            },
            batch.steps,
            _links(zip(batch.receipts, batch.messages, strict=True)),
        )

    def followed(self, command: str, step: Step, events: int, last_position: int) -> None:
        """Record a batch of events that a command applied or sent in one step."""
        attributes: Attributes = {"dataflow.events": events, "dataflow.last_position": last_position}
        self._record(f"{command} batch", attributes, [step])

    def _record(self, name: str, attributes: Attributes, steps: Sequence[Step], links: Sequence[Link] = ()) -> None:
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415 - an extra

        epoch = time.time_ns() - time.perf_counter_ns()
        began = _nanoseconds(steps[0].began, epoch)
        span = self._tracer.start_span(name, attributes=attributes, links=links, start_time=began)
        inside = set_span_in_context(span)
        for step in steps:
            child = self._tracer.start_span(step.name, inside, start_time=_nanoseconds(step.began, epoch))
            child.end(_nanoseconds(step.ended, epoch))
        span.end(_nanoseconds(steps[-1].ended, epoch))


@contextmanager
def batch_tracer(command: str, environment: Mapping[str, str] = os.environ) -> Iterator[BatchTracer | None]:
    """Give a tracer that sends its spans over OTLP, None where no endpoint is set; send the last ones at the end.

    Raises:
        SettingsError: an endpoint is set, but the extra `tracing` is not installed.
    """
    if not any(environment.get(name) for name in ENDPOINTS):
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(f"{ENDPOINTS[0]} is set: install the extra 'tracing' for it") from error
    resource = Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME") or f"dataflow-{command}"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield BatchTracer(provider.get_tracer("dataflow"))
    finally:
        # The exporter waits longer for an endpoint that is away than a stop may take.
        flush = Thread(target=provider.shutdown, daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)


def _links(received: Iterable[tuple[Receipt, ReceivedMessage]]) -> list[Link]:
    """Return links to the traces of the first `MAX_LINKS` messages that have one, with the ids of the messages."""
    from opentelemetry.trace import Link, get_current_span  # noqa: PLC0415 - an extra
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    read = TraceContextTextMapPropagator().extract
    links: list[Link] = []
    for receipt, message in received:
        if len(links) == MAX_LINKS:
            break
        if trace := _named_trace(receipt.payload) or message.trace:
            context = get_current_span(read(trace._asdict())).get_span_context()
            if context.is_valid:
                links.append(Link(context, {"messaging.message.id": receipt.message_id or ""}))
    return links


def _named_trace(payload: bytes) -> Trace | None:
    """Return the trace that an event names itself, as W3C Trace Context (https://www.w3.org/TR/trace-context/)."""
    if b'"traceparent"' not in payload:
        return None
    try:
        traced = _ENVELOPE.decode(payload)
    except UNREADABLE:
        return None
    return Trace(traced.traceparent, traced.tracestate or "") if traced.traceparent else None


def _nanoseconds(reading: float, epoch: int) -> int:
    return epoch + int(reading * 1e9)
