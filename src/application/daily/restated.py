"""Figures of earlier days that are no longer what was reported, and the rows and events that changed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from application.daily.document import Cell, DailyReport, Section, plain, table, text
from application.daily.figures import day_figures, ending
from application.daily.titles import titles
from application.ports.analytics import Analytics, Selection
from application.ports.event_store import EventStore
from application.queries.definitions import Kpi
from application.queries.kpis import KPIS
from application.queries.policies import Policy, under

LOOKED_AT = 200
"""Rows behind a figure that are looked at for their reason, those that changed last."""
_NOTE = (
    "Figures of earlier days that differ from their own reports, because something was learned since. An order "
    "counts on the day it was placed, so its shipping and its delivery are news of that day."
)
_HEAD = ("Day", "Figure", "reported", "now", "because of")


def restated(
    analytics: Analytics, events: EventStore, earlier: Mapping[date, DailyReport], position: int, policy: Policy
) -> Section:
    """Compare what was reported of earlier days with what is known at a position."""
    rows: list[Sequence[Cell]] = []
    for day, reported in earlier.items():
        if reported.position < position:
            now = day_figures(analytics, day, policy)
            for name, then in reported.day_figures.items():
                if name in now and plain(now[name]) != then:
                    kpi = under(KPIS[name], policy)
                    why = _why(analytics, events, kpi, day, (reported.position, position))
                    beside = Cell(then, kpi.unit), Cell(plain(now[name]), kpi.unit)
                    called = titles(analytics, [kpi], [ending(day, 1)])[kpi.name]
                    rows.append((text(day), text(called), *beside, why))
    return table("restated", "Restated", _NOTE, _HEAD, rows)


def _why(analytics: Analytics, events: EventStore, kpi: Kpi, day: date, between: tuple[int, int]) -> Cell:
    """Name the kinds of events since the report behind the rows of that day, those that came first first."""
    after, upto = between
    rows = analytics.evidence(_all_rows(kpi), Selection(period=ending(day, 1)), LOOKED_AT)
    changed = [row for row in rows if row.last_position > after]
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in changed:
        spans.setdefault(row.stream_id, []).append((max(row.first_position, after + 1), min(row.last_position, upto)))
    since = sorted(
        (event.position, event.topic.partition(".")[0])
        for stream_id, stream in events.load(spans).items()
        for event in stream
        if any(first <= event.position <= last for first, last in spans[stream_id])
    )
    if not since:
        return text("a changed definition")
    named = ", ".join(f"{number} {topic}" for topic, number in Counter(topic for _, topic in since).items())
    return text(f"{_counted(len(changed), kpi.fact.grain)}: {named}")


def _counted(number: int, grain: str) -> str:
    """Return a number with its noun: 1 order, 2 receipts of goods."""
    noun, of, what = grain.partition(" of ")
    return f"{number} {noun}{'s' * (number != 1)}{of}{what}"


def _all_rows(kpi: Kpi) -> Kpi:
    """Return the KPI with every row counted as behind it: one may have left what it counts."""
    return Kpi(kpi.name, kpi.title, kpi.unit, kpi.direction, kpi.fact, kpi.expression, kpi.description)
