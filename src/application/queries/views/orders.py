"""Orders: how far they came, how long it took, what waits, and one order's story."""

from __future__ import annotations

from typing import Any, NamedTuple

from application.ports.listings import Star
from application.queries.definitions import BACKORDERS, ORDERS, Dimension, Kpi, Listing, Source
from application.queries.expressions import days
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.measuring import TOTAL, measured, named, tiles
from application.queries.views.shapes import Bar, Bars, Column, Table, Tile
from application.queries.views.words import in_words, on, status_in_words

FLOWS = ("orders", "on_time_rate", "otif_rate", "order_cycle_time_p50_days", "order_cycle_time_p95_days")
SHOWN = 200
_IN_FULL = "f.delivered > 0 AND f.delivered = f.ordered - f.cancelled"
_BUCKETS = 15


def _stage(name: str, title: str, condition: str) -> Kpi:
    return Kpi(name, title, "orders", "up", ORDERS, f"count(*) FILTER (WHERE {condition})", title, condition)


STAGES = (
    _stage("placed", "Placed", "true"),
    _stage("confirmed", "Confirmed", "f.confirmed_at IS NOT NULL"),
    _stage("shipped_in_part", "Shipped, in part at least", "f.shipped > 0"),
    _stage("shipped_in_full", "Shipped in full", "f.shipped > 0 AND f.shipped = f.ordered - f.cancelled"),
    _stage("delivered_in_full", "Delivered in full", _IN_FULL),
)
# Where a source has no time of day for one of the two, a delivery may stand before its order.
_WHOLE_DAYS = f"greatest(floor({days('f.placed_at', 'f.delivered_at')}), 0)"
_CYCLE_DAY = f"CASE WHEN {_IN_FULL} THEN lpad({_WHOLE_DAYS}::text, 5, '0') END"
CYCLE_DAY = Dimension("cycle_day", "Days", {ORDERS.name: Source(_CYCLE_DAY, _CYCLE_DAY)})

_BUYER = "LEFT JOIN dim_customer buyer ON buyer.customer_key = f.customer_key"
LATEST = Listing(
    ORDERS,
    (
        ("stream_id", "f.stream_id"),
        ("order_id", "f.order_id"),
        ("customer", "coalesce(buyer.name, f.customer_id)"),
        ("country", "f.country"),
        ("placed_at", "f.placed_at"),
        ("promised", "f.promised_date_key"),
        ("status", "f.status"),
        ("ordered", "f.ordered"),
        ("shipped", "f.shipped"),
        ("delivered", "f.delivered"),
        ("net", "f.net"),
        ("currency", "f.currency"),
    ),
    "f.placed_date_key DESC, f.placed_at DESC, f.stream_id",
    (_BUYER,),
)
WAITING = Listing(
    BACKORDERS,
    (
        ("stream_id", "f.stream_id"),
        ("order_id", "f.order_id"),
        ("product", "coalesce(goods.name, f.product_id)"),
        ("units", "f.backordered"),
        ("since", "f.backordered_at"),
        ("promised", "f.promised_date_key"),
    ),
    "f.backordered_at, f.stream_id, f.line_no",
    ("LEFT JOIN dim_product goods ON goods.product_key = f.product_key",),
)


class Orders(NamedTuple):
    """What the page shows of the orders of the chosen period; `waiting` are the units that wait for stock now."""

    flows: tuple[Tile, ...]
    funnel: Bars
    cycle: Bars
    waiting: Table
    latest: Table


def orders(star: Star, choice: Choice) -> Orders:
    """Measure and list orders; raises AnalyticsUnavailableError."""
    return Orders(
        tiles(star, named(choice, FLOWS), choice),
        _funnel(star, choice),
        _cycle(star, choice),
        _waiting(star.rows(WAITING, choice.where(BACKORDERS), SHOWN)),
        _latest(star.rows(LATEST, choice.where(ORDERS, choice.period), SHOWN)),
    )


def _funnel(star: Star, choice: Choice) -> Bars:
    found = measured(star, STAGES, choice, choice.period)[TOTAL]
    placed = int(found["placed"] or 0)
    made = []
    for stage in STAGES:
        count = int(found[stage.name] or 0)
        share = f" · {count * 100 / placed:.1f}%" if placed else ""
        made.append(Bar(stage.title, float(count), f"{in_words(stage, count)}{share}"))
    return Bars("From placed to delivered", tuple(made))


def _cycle(star: Star, choice: Choice) -> Bars:
    """Count delivered orders by the whole days that they took, none below 0; the last bar has all that took longer."""
    found = measured(star, [KPIS["orders"]], choice, choice.period, CYCLE_DAY)
    counts = {int(member.key): int(figures["orders"] or 0) for member, figures in found.items() if member.key}
    last = min(_BUCKETS, max(counts, default=0))
    made = [Bar(f"{day}", float(counts.get(day, 0)), f"{counts.get(day, 0):,}") for day in range(last)]
    longer = sum(count for day, count in counts.items() if day >= last)
    title = f"{last}" if longer == counts.get(last, 0) else f"{last}+"
    return Bars(
        "Days from placed to delivered in full", (*made, Bar(title, float(longer), f"{longer:,}")) if counts else ()
    )


def _latest(rows: list[dict[str, Any]]) -> Table:
    columns = (
        Column("Order"),
        Column("Customer"),
        Column("To"),
        Column("Placed (UTC)", "time"),
        Column("Promised", "day"),
        Column("Status"),
        Column("Ordered", "count"),
        Column("Shipped", "count"),
        Column("Delivered", "count"),
        Column("Net sales", "money"),
        Column("Currency"),
    )
    made = tuple(
        (
            row["order_id"],
            row["customer"],
            row["country"],
            row["placed_at"],
            on(row["promised"]),
            status_in_words(row["status"]),
            *(row[name] for name in ("ordered", "shipped", "delivered", "net", "currency")),
        )
        for row in rows
    )
    title = f"The latest {SHOWN} orders" if len(rows) == SHOWN else "Orders"
    return Table(title, columns, made, tuple(row["stream_id"] for row in rows))


def _waiting(rows: list[dict[str, Any]]) -> Table:
    columns = (
        Column("Order"),
        Column("Product"),
        Column("Units", "count"),
        Column("Waits since (UTC)", "time"),
        Column("Promised", "day"),
    )
    made = tuple((r["order_id"], r["product"], r["units"], r["since"], on(r["promised"])) for r in rows)
    title = "Back-orders: units that wait for stock" + (f", the first {SHOWN}" if len(rows) == SHOWN else "")
    return Table(title, columns, made, tuple(r["stream_id"] for r in rows))
