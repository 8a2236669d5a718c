"""The rows of silver orders: how they start when lines are ordered, and what their money is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from application.projections.freight import exact_product, freight_shares
from domain.order.commands import OrderedLine
from domain.order.events import IncreasedLine, OrderLinesAdded, OrderPlaced
from domain.shared.measures import ZERO


@dataclass(slots=True)
class OrderRow:
    """One row per order."""

    stream_id: str
    order_id: str
    customer_id: str
    currency: str
    placed_at: datetime
    requested_date: date | None
    promised_date: date | None
    original_promised_date: date | None
    carrier_id: str | None
    ship_to_city: str | None
    ship_to_country: str | None
    freight: Decimal
    line_count: int
    status: str = "placed"
    held: bool = False
    hold_reason: str | None = None
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    first_position: int = 0
    last_position: int = 0


@dataclass(slots=True)
class OrderLineRow:
    """One row per order line, with what it needs of its order; amounts unrounded, in `currency`."""

    stream_id: str
    order_id: str
    line_no: int
    customer_id: str
    currency: str
    placed_at: datetime
    requested_date: date | None
    promised_date: date | None
    original_promised_date: date | None
    carrier_id: str | None
    ship_to_city: str | None
    ship_to_country: str | None
    product_id: str
    unit_price: Decimal
    discount: Decimal
    gross: Decimal
    net: Decimal
    freight: Decimal
    ordered: int
    open: int
    backordered: int = 0
    allocated: int = 0
    shipped: int = 0
    delivered: int = 0
    cancelled: int = 0
    returned: int = 0
    promise_revisions: int = 0
    confirmed_at: datetime | None = None
    first_allocated_at: datetime | None = None
    backordered_at: datetime | None = None
    location_id: str | None = None
    first_shipped_at: datetime | None = None
    last_shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    shipping_carrier_id: str | None = None
    shipment_id: str | None = None
    cancelled_at: datetime | None = None
    returned_at: datetime | None = None
    status: str = "open"
    first_position: int = 0
    last_position: int = 0


def order_row(event: OrderPlaced, stream_id: str, position: int) -> OrderRow:
    """Return the row of an order that was just placed."""
    return OrderRow(
        stream_id=stream_id,
        order_id=event.order_id,
        customer_id=event.customer_id,
        currency=event.currency,
        placed_at=event.occurred_at,
        requested_date=event.requested_date,
        promised_date=event.promised_date,
        original_promised_date=event.promised_date,
        carrier_id=event.carrier_id,
        ship_to_city=event.ship_to_city,
        ship_to_country=event.ship_to_country,
        freight=event.freight,
        line_count=len(event.lines),
        first_position=position,
        last_position=position,
    )


def line_rows(order: OrderRow, lines: Sequence[OrderedLine]) -> list[OrderLineRow]:
    """Return the rows of lines that were ordered with an order; its freight is to be split over them."""
    return [_line(order, line) for line in lines]


def added_line_rows(order: OrderRow, event: OrderLinesAdded) -> list[OrderLineRow]:
    """Return the rows of lines that were ordered later; the freight is to be split anew."""
    rows = line_rows(order, event.lines)
    for row in rows:
        row.placed_at = event.occurred_at
        row.confirmed_at = confirmed_at(order, row)
    return rows


def increase(line: OrderLineRow, to: IncreasedLine) -> None:
    """Let a line have more units at its price; the freight is to be split anew."""
    line.ordered = to.ordered
    line.open = to.open
    line.gross = exact_product(Decimal(to.ordered), line.unit_price)
    line.net = exact_product(line.gross, 1 - line.discount)


def split_freight(order: OrderRow, lines: Sequence[OrderLineRow], position: int) -> None:
    """Split an order's freight over its lines, one after the other as they stand, after the event at a position."""
    for line, share in zip(lines, freight_shares(order.freight, [line.net for line in lines]), strict=True):
        if line.freight != share:
            line.freight = share
            line.last_position = position


def confirmed_at(order: OrderRow, line: OrderLineRow) -> datetime | None:
    """Return when a line was confirmed: with its order, or when it was added to one that was."""
    known = order.confirmed_at
    return known if known is None or line.placed_at == order.placed_at else max(known, line.placed_at)


def _line(order: OrderRow, line: OrderedLine) -> OrderLineRow:
    gross = exact_product(Decimal(line.quantity), line.unit_price)
    return OrderLineRow(
        stream_id=order.stream_id,
        order_id=order.order_id,
        line_no=line.line_no,
        customer_id=order.customer_id,
        currency=order.currency,
        placed_at=order.placed_at,
        requested_date=order.requested_date,
        promised_date=order.promised_date,
        original_promised_date=order.original_promised_date,
        carrier_id=order.carrier_id,
        ship_to_city=order.ship_to_city,
        ship_to_country=order.ship_to_country,
        product_id=line.product_id,
        unit_price=line.unit_price,
        discount=line.discount,
        gross=gross,
        net=exact_product(gross, 1 - line.discount),
        freight=ZERO,
        ordered=line.quantity,
        open=line.quantity,
        first_position=order.first_position,
        last_position=order.last_position,
    )
