"""The overview: the figures of the period against the one before, what became of orders and shipments, and alerts."""

from __future__ import annotations

from typing import Literal, NamedTuple

from application.ports.inbox import Inbox
from application.ports.listings import Star
from application.queries.definitions import ORDERS, Dimension, Source
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.explaining import overdue_orders, overdue_shipments
from application.queries.views.measuring import (
    TOTAL,
    bars_by,
    by_step,
    comparable,
    in_currencies,
    levels,
    measured,
    named,
    over_time,
    tiles,
)
from application.queries.views.shapes import Bars, Series, Tile
from application.queries.views.words import status_in_words

FLOWS = ("orders", "net", "on_time_rate", "fill_rate", "order_cycle_time_days")
LEVELS = ("stock_value", "below_reorder_point", "units_backordered")
ORDER_STATUS = Dimension("order_status", "Status", {ORDERS.name: Source("f.status", "f.status")})


class Alert(NamedTuple):
    """Something to look at: how many, what, how bad it is, the page that shows it, and the figure that explains it."""

    number: int
    text: str
    severity: Literal["good", "warning", "serious"]
    page: str
    figure: str | None = None


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
    net = in_currencies(star, KPIS["net"], choice, choice.period)
    stock_value = in_currencies(star, KPIS["stock_value"], choice, None)
    orders, flows = KPIS["orders"], named(choice, FLOWS, net)
    steps = by_step(star, flows, choice)
    statuses = (
        bars_by(star, orders, ORDER_STATUS, choice, "Orders by status"),
        bars_by(star, KPIS["shipments"], DIMENSIONS["status"], choice, "Shipments by status"),
    )
    return Overview(
        comparable(star, tiles(star, flows, choice, steps), net, choice),
        levels(star, named(choice, LEVELS, stock_value), choice),
        over_time(steps, [orders, net], choice),
        tuple(
            Bars(title, tuple(b._replace(label=status_in_words(b.label)) for b in drawn)) for title, drawn in statuses
        ),
        (
            bars_by(star, net, DIMENSIONS["category"], choice, f"{net.title} by product category"),
            bars_by(star, net, DIMENSIONS["country"], choice, f"{net.title} by country"),
        ),
        _alerts(star, inbox, choice),
    )


def _alerts(star: Star, inbox: Inbox, choice: Choice) -> tuple[Alert, ...]:
    kpis = [overdue_orders(choice), overdue_shipments(choice), KPIS["out_of_stock"]]
    found = measured(star, kpis, choice, None)[TOTAL]
    late, under_way, out = (int(found[kpi.name] or 0) for kpi in kpis)
    waiting = sum(inbox.waiting().values())
    return (
        _alert(late, "orders past their due day, not shipped in full", "serious", "orders", kpis[0].name),
        _alert(under_way, "shipments past their arrival, still under way", "serious", "shipments", kpis[1].name),
        _alert(out, "stocks without an available unit", "warning", "inventory", kpis[2].name),
        _alert(waiting, "messages open in quarantine", "warning", "pipeline"),
    )


def _alert(
    number: int, text: str, severity: Literal["warning", "serious"], page: str, figure: str | None = None
) -> Alert:
    return Alert(number, text, severity if number else "good", page, figure)
