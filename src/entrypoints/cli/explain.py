"""Explain a number: `dataflow explain KPI|ROW|EVENT`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from application import codec
from application.queries.currencies import currencies
from application.queries.explain import (
    ExplainedEvent,
    ExplainedFigure,
    ExplainedMessage,
    ExplainedRow,
    explain_event,
    explain_figure,
    explain_row,
    is_event,
    is_row,
)
from application.queries.figures import selection
from entrypoints.cli.answers import shown
from entrypoints.cli.context import platform
from entrypoints.cli.counts import COUNT
from entrypoints.cli.output import cell, console, print_json, print_table
from entrypoints.cli.selecting import filters, members_of, note_mixtures, period_of, policies_of, units_of


@click.command()
@click.argument("what", metavar="KPI|ROW|EVENT")
@filters
@click.option("--policy", default="default", show_default=True, help="What counts as late and in full.")
@click.option("--limit", default=20, show_default=True, type=COUNT, help="Rows of a KPI.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def explain(  # noqa: PLR0917
    what: str,
    conditions: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    policy: str,
    limit: int,
    as_json: bool,
) -> None:
    """Go from a KPI to its rows, from a row to its events, from an event to the message as received.

    Each answer names what to ask next: orders_late, then fact_order/order-10264, then order-10264:1.
    """
    with platform() as container:
        if is_row(what):
            row, events = explain_row(container.analytics(), container.event_store(), what)
            print_json(_row_json(row, events)) if as_json else _print_row(row, events)
        elif is_event(what):
            explained = explain_event(container.event_store(), container.archive(), what)
            print_json(_message_json(explained)) if as_json else _print_message(explained)
        else:
            (measured_by,), period = policies_of(container, (policy,)), period_of(first, last)
            with container.analytics().moment() as analytics:
                members = members_of(conditions, analytics)
                figure = explain_figure(
                    analytics, what, members=members, period=period, policy=measured_by, limit=limit
                )
                found = currencies(analytics, [figure.kpi], None, selection(members, period))
            note_mixtures([([figure.kpi], found)])
            unit = units_of([figure.kpi], found).get(figure.kpi.name, figure.kpi.unit)
            print_json(_figure_json(figure)) if as_json else _print_figure(figure, unit)


def _print_figure(figure: ExplainedFigure, unit: str) -> None:
    kpi = figure.kpi
    console.print(f"{kpi.title}: {cell(shown(kpi, figure.figure))} ({unit}). {kpi.description} {kpi.source}".rstrip())
    if kpi.expression:
        console.print(f"{kpi.expression} over {kpi.fact.name}, policy {figure.policy.label}")
    rows = [(name, row.first_position, row.last_position) for name, row in figure.rows]
    print_table(
        f"{len(rows):,} of {figure.total:,} rows behind it, changed last first",
        ("row", "first event", "last event"),
        rows,
    )


def _print_row(row: ExplainedRow, events: list[ExplainedEvent]) -> None:
    # Keys are names, not numbers to be read with thousands set apart.
    columns = [(name, _name(value) if name.endswith("_key") else value) for name, value in row.row.columns.items()]
    print_table(row.name, ("column", "value"), columns)
    happened = [
        (e.name, e.recorded.position, e.event.occurred_at, e.recorded.topic, codec.describe(e.event)) for e in events
    ]
    print_table("Events behind it", ("event", "position", "occurred at", "topic", "data"), happened)


def _name(key: Any) -> str | None:
    return None if key is None else str(key)


def _print_message(explained: ExplainedMessage) -> None:
    recorded, event, metadata = explained.event[1:]
    facts = {
        "position": recorded.position,
        "event": recorded.topic,
        "occurred at": event.occurred_at,
        "recorded at": metadata.recorded_at,
        "data": codec.describe(event),
        "source": metadata.source,
        "caused by": metadata.causation_id,
        "belongs to": metadata.correlation_id,
        "actor": metadata.actor,
    }
    print_table(explained.event.name, ("", "value"), facts.items())
    if explained.message is None:
        console.print(f"no message caused it; it follows from {explained.event.metadata.causation_id}")
    else:
        print_table("The message as received", ("", "value"), (_message_json(explained)["message"] or {}).items())


def _figure_json(figure: ExplainedFigure) -> dict[str, Any]:
    kpi = figure.kpi
    return {
        "kpi": kpi.name,
        "title": kpi.title,
        "unit": kpi.unit,
        "figure": figure.figure,
        "meaning": kpi.description,
        "source": kpi.source,
        "fact": kpi.fact.name,
        "expression": kpi.expression,
        "counted": kpi.counted,
        "policy": figure.policy.label,
        "rows_behind": figure.total,
        "rows": [_evidence_json(row) for row in figure.rows],
    }


def _evidence_json(explained: ExplainedRow) -> dict[str, Any]:
    row = explained.row
    return {
        "row": explained.name,
        "stream_id": row.stream_id,
        "first_position": row.first_position,
        "last_position": row.last_position,
        "columns": row.columns,
    }


def _row_json(row: ExplainedRow, events: list[ExplainedEvent]) -> dict[str, Any]:
    return _evidence_json(row) | {"events": [_event_json(event) for event in events]}


def _event_json(explained: ExplainedEvent) -> dict[str, Any]:
    return {
        "event": explained.name,
        "position": explained.recorded.position,
        "topic": explained.recorded.topic,
        "data": explained.event,
        "metadata": explained.metadata,
    }


def _message_json(explained: ExplainedMessage) -> dict[str, Any]:
    message = explained.message
    plain = message and message._asdict() | {"payload": message.payload.decode("utf-8", "backslashreplace")}
    return _event_json(explained.event) | {"message": plain}
