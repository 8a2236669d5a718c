"""The overview: the figures of the period against the one before, what became of orders and shipments, and alerts."""

from __future__ import annotations

from typing import Literal, NamedTuple

from application.ports.inbox import Inbox
from application.ports.listings import Star
from application.queries.definitions import ORDERS, SHIPMENTS, Dimension, Kpi, Source
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.measuring import TOTAL, bars_by, levels, measured, named, over_time, tiles
from application.queries.views.shapes import Bars, Series, Tile
from application.queries.views.words import status_in_words

FLOWS = ("orders", "net", "on_time_rate", "fill_rate", "order_cycle_time_days")
LEVELS = ("stock_value", "below_reorder_point", "units_backordered")
ORDER_STATUS = Dimension("order_status", "Status", {ORDERS.name: Source("f.status", "f.status")})
_UNDER_WAY = "f.dispatched_at IS NOT NULL AND f.delivered_at IS NULL AND f.returned_at IS NULL"


class Alert(NamedTuple):
    """Something to look at: how many, what, how bad it is, and the page that shows it."""

    number: int
    text: str
    severity: Literal["good", "warning", "serious"]
    page: str


class Overview(NamedTuple):
    """What the page shows: `flows` of the chosen period, `levels` and `alerts` as they are now."""

    flows: tuple[Tile, ...]
    levels: tuple[Tile, ...]
    over_time: tuple[Series, ...]
    statuses: tuple[Bars, ...]
    sales: tuple[Bars, ...]
    alerts: tuple[Alert, ...]


def overview(star: Star, inbox: Inbox, choice: Choice) -> Overview:
    """Measure the overview.

    Raises:
        AnalyticsUnavailableError, StoreUnavailableError: there is nothing to read from.
    """
    orders, net = named(choice, ("orders", "net"))
    statuses = (
        bars_by(star, orders, ORDER_STATUS, choice, "Orders by status"),
        bars_by(star, KPIS["shipments"], DIMENSIONS["status"], choice, "Shipments by status"),
    )
    return Overview(
        _with_currency(star, choice, tiles(star, named(choice, FLOWS), choice, DIMENSIONS[choice.step])),
        levels(star, named(choice, LEVELS), choice),
        over_time(star, [orders, net], choice),
        tuple(
            Bars(title, tuple(b._replace(label=status_in_words(b.label)) for b in drawn)) for title, drawn in statuses
        ),
        (
            bars_by(star, net, DIMENSIONS["category"], choice, "Net sales by product category"),
            bars_by(star, net, DIMENSIONS["country"], choice, "Net sales by country"),
        ),
        _alerts(star, inbox, choice),
    )


def overdue_orders(choice: Choice) -> Kpi:
    """Return the number of orders whose promise has passed with units still to be shipped."""
    due = f"f.promised_date_key < {choice.now:%Y%m%d} AND f.shipped < f.ordered - f.cancelled"
    return _counting("overdue_orders", "Orders overdue", ORDERS.name, due)


def overdue_shipments(choice: Choice) -> Kpi:
    """Return the number of shipments that are under way after the time that they were to arrive."""
    due = f"{_UNDER_WAY} AND coalesce(f.eta, f.planned_delivery_at) < timestamptz '{choice.now.isoformat()}'"
    return _counting("overdue_shipments", "Shipments overdue", SHIPMENTS.name, due)


def _counting(name: str, title: str, fact: str, condition: str) -> Kpi:
    of = ORDERS if fact == ORDERS.name else SHIPMENTS
    return Kpi(name, title, of.grain, "down", of, f"count(*) FILTER (WHERE {condition})", title, condition)


def _with_currency(star: Star, choice: Choice, flows: tuple[Tile, ...]) -> tuple[Tile, ...]:
    """Name the currencies that net sales add up, so that a mixture is seen as one."""
    found = measured(star, [KPIS["net"]], choice, choice.period, DIMENSIONS["currency"])
    title = " ".join([KPIS["net"].title, " + ".join(sorted(str(member.key) for member in found))]).strip()
    return tuple(tile._replace(title=title) if tile.name == "net" else tile for tile in flows)


def _alerts(star: Star, inbox: Inbox, choice: Choice) -> tuple[Alert, ...]:
    kpis = [overdue_orders(choice), overdue_shipments(choice), KPIS["out_of_stock"]]
    found = measured(star, kpis, choice, None)[TOTAL]
    late, under_way, out = (int(found[kpi.name] or 0) for kpi in kpis)
    waiting = sum(inbox.waiting().values())
    return (
        Alert(late, "orders past their promise, not shipped in full", "serious" if late else "good", "orders"),
        Alert(
            under_way, "shipments past their arrival, still under way", "serious" if under_way else "good", "shipments"
        ),
        Alert(out, "stocks without an available unit", "warning" if out else "good", "inventory"),
        Alert(waiting, "messages open in quarantine", "warning" if waiting else "good", "pipeline"),
    )
