"""Explain a number: from a KPI to its rows, from a row to its events, from an event to the message as received."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from application import codec
from application.errors import InvalidRequestError
from application.ports.analytics import Analytics, Evidence, Figure, Period, Selection
from application.ports.archive import Archive, ArchivedMessage
from application.ports.event_store import EventStore, RecordedEvent
from application.queries.definitions import FACTS, Fact, Kpi
from application.queries.expressions import rows
from application.queries.figures import Members, kpi_within, selection
from application.queries.policies import DEFAULT, Policy


class UnknownRowError(InvalidRequestError):
    """There is no such row in the star schema."""


class UnknownEventError(InvalidRequestError):
    """There is no such event in the log."""


class ExplainedRow(NamedTuple):
    """A row of a fact, by a name that `explain_row` takes."""

    name: str
    row: Evidence


class ExplainedFigure(NamedTuple):
    """A KPI as it was measured, its figure, rows behind it, and how many there are in all."""

    kpi: Kpi
    policy: Policy
    figure: Figure
    rows: tuple[ExplainedRow, ...]
    total: int


class ExplainedEvent(NamedTuple):
    """An event with its metadata, by a name that `explain_event` takes."""

    name: str
    recorded: RecordedEvent
    event: Any
    metadata: codec.Metadata


class ExplainedMessage(NamedTuple):
    """An event, and the message that caused it; None where it was caused otherwise."""

    event: ExplainedEvent
    message: ArchivedMessage | None


def explain_figure(
    analytics: Analytics,
    name: str,
    *,
    members: Members | None = None,
    period: Period | None = None,
    policy: Policy = DEFAULT,
    limit: int = 20,
) -> ExplainedFigure:
    """Return a KPI's figure and up to `limit` rows behind it; raises as `kpi_table` does."""
    where = selection(members, period)
    return explain(analytics, kpi_within(name, where, policy), where, policy, limit)


def explain(analytics: Analytics, kpi: Kpi, where: Selection, policy: Policy, limit: int = 20) -> ExplainedFigure:
    """Return the figure of a KPI that a policy gave its meaning, and up to `limit` rows behind it, of one moment.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    behind = replace(kpi, name="rows_behind", unit="rows", expression=rows(kpi.counted))
    with analytics.moment() as moment:
        ((_, figures),) = moment.measure([kpi, behind], None, where)
        named = _named(kpi, moment.evidence(kpi, where, limit))
    return ExplainedFigure(kpi, policy, figures[kpi.name], named, int(figures[behind.name] or 0))


def _named(kpi: Kpi, found: Sequence[Evidence]) -> tuple[ExplainedRow, ...]:
    return tuple(ExplainedRow(row_name(kpi.fact, row), row) for row in found)


def row_name(fact: Fact, row: Evidence) -> str:
    """Name a row by its table and key: `fact_order_line/order-10248/2`."""
    values = {**row.columns, "stream_id": row.stream_id}
    return key_name(fact.name, [values[column] for column in fact.key])


def key_name(table: str, key: Iterable[object]) -> str:
    """Name a row of any table by its table and the values of its key."""
    return "/".join([table, *map(str, key)])


def explain_row(analytics: Analytics, store: EventStore, name: str) -> tuple[ExplainedRow, list[ExplainedEvent]]:
    """Return a row and the events behind it, in order.

    Raises:
        UnknownRowError: there is none of that name.
        AnalyticsUnavailableError, StoreUnavailableError: there is nothing to read from.
    """
    fact, key = _row_key(name)
    row = analytics.row(fact, key)
    if row is None:
        raise UnknownRowError(f"no row {name!r}; `dataflow explain KPI` names those behind a figure")
    line_no = row.columns.get("line_no")
    events = [
        event
        for event in _history(store, row.stream_id)
        if row.first_position <= event.recorded.position <= row.last_position and _concerns(event.event, line_no)
    ]
    return ExplainedRow(name, row), events


def explain_event(store: EventStore, archive: Archive, name: str) -> ExplainedMessage:
    """Return an event (`order-10248:3`, stream and version), and the message as received.

    Raises:
        UnknownEventError: there is none of that name.
        StoreUnavailableError: there is nothing to read from.
    """
    stream_id = name.rpartition(":")[0]
    for event in _history(store, stream_id):
        if event.name == name:
            return ExplainedMessage(event, archive.find(event.metadata.causation_id))
    raise UnknownEventError(f"no event {name!r}; name its stream and version, as in order-10248:1")


def is_row(name: str) -> bool:
    """Tell whether a name is that of a row."""
    return any(name.startswith(f"{fact.name}/") for fact in FACTS)


def is_event(name: str) -> bool:
    """Tell whether a name is that of an event."""
    stream_id, _, version = name.rpartition(":")
    return bool(stream_id) and version.isdecimal()


def _row_key(name: str) -> tuple[Fact, Sequence[str]]:
    """Split a row's name; the first part of a key is a stream, which may have slashes of its own."""
    for fact in FACTS:
        key = name.removeprefix(f"{fact.name}/")
        values = key.rsplit("/", len(fact.key) - 1)
        if key != name and len(values) == len(fact.key):
            return fact, values
    raise UnknownRowError(f"no row {name!r}; a row is named as in fact_order_line/order-10248/1")


def _history(store: EventStore, stream_id: str) -> list[ExplainedEvent]:
    recorded = store.load([stream_id]).get(stream_id, [])
    return [
        ExplainedEvent(codec.event_id(each.stream_id, each.version), each, *codec.decode_with_metadata(*each))
        for each in recorded
    ]


def _concerns(event: Any, line_no: int | None) -> bool:
    """Tell whether an event is of a line, or of all lines of its order."""
    return line_no is None or getattr(event, "line_no", line_no) == line_no
