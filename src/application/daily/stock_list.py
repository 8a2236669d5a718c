"""What to order: the stocks at or below their reorder point at the end of a day, and how much."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date

from application.codec import decode, topics_of
from application.daily.document import Section, figure, table, text
from application.ports.analytics import Analytics, Evidence, Measured, Period, Selection
from application.ports.event_store import EventStore
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from domain.inventory.events import ReorderPointSet

LONGEST = 500
"""Stocks on the list; the emptiest come first."""
_NOTE = (
    "Stocks at their reorder point or below it at the end of the day, those without units first. To order: the "
    "reorder quantity that was set with the reorder point, and what is missing beyond it where reservations took "
    "more than there is."
)
_HEAD = ("Product", "Location", "On hand", "Available", "Reorder point", "To order")


def reorder_list(analytics: Analytics, events: EventStore, day: date, position: int) -> Section:
    """Return the stocks to order for, with quantities as they were set by then, and known by a position of the log."""
    kpi, where = KPIS["below_reorder_point"], Selection(period=Period(date.min, day))
    (measured,) = analytics.measure([kpi], None, where)
    rows = analytics.evidence(kpi, where, LONGEST)
    products, locations = (
        _called(analytics.measure([kpi], DIMENSIONS[name], where)) for name in ("product", "location")
    )
    quantities = _quantities(events, {row.stream_id for row in rows}, day, position)
    rows.sort(key=lambda row: (row.columns["available"], row.stream_id))
    total = int(measured.figures[kpi.name] or 0)
    more = f" {total - len(rows):,} more are not listed." if total > len(rows) else ""
    cells = [
        [
            text(products.get(row.columns["product_id"], row.columns["product_id"])),
            text(locations.get(row.columns["location_id"], row.columns["location_id"])),
            figure(row.columns["on_hand"], "units"),
            figure(row.columns["available"], "units"),
            figure(row.columns["reorder_point"], "units"),
            figure(_to_order(row, quantities.get(row.stream_id)), "units"),
        ]
        for row in rows
    ]
    return table("reorder", "Reorder list", _NOTE + more, _HEAD, cells)


def _called(measured: Sequence[Measured]) -> dict[str, str]:
    """Return what members are called by their key: the name with the key, where there is another name."""
    named = (row.member for row in measured)
    return {each.key: f"{each.label} ({each.key})" for each in named if each.key and each.label not in {None, each.key}}


def _to_order(row: Evidence, quantity: int | None) -> int | None:
    return None if quantity is None else quantity + max(0, -int(row.columns["available"]))


def _quantities(events: EventStore, streams: Collection[str], day: date, position: int) -> dict[str, int]:
    """Return the reorder quantity of each stock that has one, as set by the end of the day, known by the position."""
    found: dict[str, ReorderPointSet] = {}
    topics = topics_of(ReorderPointSet)
    for stream_id, recorded in events.load(streams).items():
        for event in recorded:
            if event.topic in topics and event.position <= position:
                set_ = decode(*event)
                assert isinstance(set_, ReorderPointSet)
                before = found.get(stream_id)
                later = before is None or set_.occurred_at >= before.occurred_at
                if later and set_.occurred_at.astimezone(UTC).date() <= day:
                    found[stream_id] = set_
    return {stream_id: set_.reorder_quantity for stream_id, set_ in found.items()}
