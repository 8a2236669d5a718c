"""What fulfilment has to know of an order beyond its totals: where its units were set aside, and what left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from domain.order.events import (
    OrderLineAllocated,
    OrderLineDelivered,
    OrderLineReturned,
    OrderLinesAdded,
    OrderLineShipped,
    OrderPlaced,
)


class Returned(NamedTuple):
    """Units of a line that a customer sent back."""

    line_no: int
    quantity: int
    reason: str
    occurred_at: datetime


class OrderHistory:
    """The history of one order, event by event.

    `allocations` has the location of each allocation of a line, `shipped` and `delivered` the units of each line
    by shipment, `left_from` where units of a line were last known to leave.
    """

    def __init__(self, correlation_id: str) -> None:
        self.correlation_id = correlation_id
        self.order_id = ""
        self.customer_id = ""
        self.carrier_id: str | None = None
        self.products: dict[int, str] = {}
        self.allocations: dict[int, list[str]] = {}
        self.shipped: dict[str, dict[int, int]] = {}
        self.delivered: dict[str, dict[int, int]] = {}
        self.left_from: dict[int, str] = {}
        self.returns: list[Returned] = []

    def note(self, event: Any) -> None:
        """Take in the next event of the order."""
        note = _NOTES.get(type(event))
        if note is not None:
            note(self, event)


def reservation_name(order_id: str, line_no: int, number: int) -> str:
    """Return the name of the n-th reservation for a line: `10248/1`, then `10248/1/2`."""
    return f"{order_id}/{line_no}" if number == 1 else f"{order_id}/{line_no}/{number}"


def orders_named_by(reservation_id: str) -> list[str]:
    """Return the orders that a reservation may be for; ids may hold slashes themselves."""
    rest, _, last = reservation_id.rpartition("/")
    named = [rest] if rest and last.isdecimal() else []
    shorter, _, line_no = rest.rpartition("/")
    return [*named, shorter] if named and shorter and line_no.isdecimal() else named


def _placed(history: OrderHistory, event: OrderPlaced) -> None:
    history.order_id = event.order_id
    history.customer_id = event.customer_id
    history.carrier_id = event.carrier_id
    history.products = {line.line_no: line.product_id for line in event.lines}


def _lines_added(history: OrderHistory, event: OrderLinesAdded) -> None:
    history.products |= {line.line_no: line.product_id for line in event.lines}


def _allocated(history: OrderHistory, event: OrderLineAllocated) -> None:
    history.allocations.setdefault(event.line_no, []).append(event.location_id)
    history.left_from.setdefault(event.line_no, event.location_id)


def _shipped(history: OrderHistory, event: OrderLineShipped) -> None:
    if event.location_id is not None:
        history.left_from[event.line_no] = event.location_id
    if event.shipment_id is not None:
        _add(history.shipped.setdefault(event.shipment_id, {}), event)


def _delivered(history: OrderHistory, event: OrderLineDelivered) -> None:
    if event.shipment_id is not None:
        _add(history.delivered.setdefault(event.shipment_id, {}), event)


def _add(units: dict[int, int], event: OrderLineShipped | OrderLineDelivered) -> None:
    units[event.line_no] = units.get(event.line_no, 0) + event.quantity


def _returned(history: OrderHistory, event: OrderLineReturned) -> None:
    history.returns.append(Returned(event.line_no, event.quantity, event.reason, event.occurred_at))


_NOTES: dict[type, Callable[[OrderHistory, Any], None]] = {
    OrderPlaced: _placed,
    OrderLinesAdded: _lines_added,
    OrderLineAllocated: _allocated,
    OrderLineShipped: _shipped,
    OrderLineDelivered: _delivered,
    OrderLineReturned: _returned,
}
