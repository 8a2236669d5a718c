"""How events change an order: the totals that they carry are assigned, nothing is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.order.commands import OrderedLine
from domain.order.events import (
    AllocationReleased,
    OrderCancelled,
    OrderClosed,
    OrderConfirmed,
    OrderEvent,
    OrderHeld,
    OrderLineAllocated,
    OrderLineBackordered,
    OrderLineCancelled,
    OrderLineDelivered,
    OrderLineReturned,
    OrderLinesAdded,
    OrderLineShipped,
    OrderLinesIncreased,
    OrderPlaced,
    OrderReleased,
    PromiseRevised,
    RequestedDateRevised,
)
from domain.order.state import Order, OrderLine, OrderStatus
from domain.shared.record import replace


def evolve(state: Order | None, event: OrderEvent) -> Order:
    """Return the order after the event; None is the state before an order's first event."""
    return _EVOLUTIONS[type(event)](state, event)


def _placed(_: None, event: OrderPlaced) -> Order:
    promise = event.promised_date
    return Order(event.order_id, OrderStatus.ACTIVE, False, False, promise, promise, _new_lines(event.lines))


def _lines_added(order: Order, event: OrderLinesAdded) -> Order:
    return replace(order, lines={**order.lines, **_new_lines(event.lines)})


def _new_lines(lines: tuple[OrderedLine, ...]) -> dict[int, OrderLine]:
    return {line.line_no: OrderLine(line.line_no, line.quantity, line.quantity, 0, 0, 0, 0, 0, 0) for line in lines}


def _lines_increased(order: Order, event: OrderLinesIncreased) -> Order:
    increased = {
        each.line_no: replace(order.lines[each.line_no], ordered=each.ordered, open=each.open) for each in event.lines
    }
    return replace(order, lines={**order.lines, **increased})


def _confirmed(order: Order, event: OrderConfirmed) -> Order:
    return replace(
        order,
        confirmed=True,
        promised_date=event.promised_date,
        original_promised_date=order.original_promised_date or event.promised_date,
    )


def _promise_revised(order: Order, event: PromiseRevised) -> Order:
    return replace(
        order,
        promised_date=event.promised_date,
        original_promised_date=event.original_promised_date,
    )


def _unchanged(order: Order, _: RequestedDateRevised) -> Order:
    return order


def _held(order: Order, _: OrderHeld) -> Order:
    return replace(order, held=True)


def _released(order: Order, _: OrderReleased) -> Order:
    return replace(order, held=False)


def _cancelled(order: Order, _: OrderCancelled) -> Order:
    return replace(order, status=OrderStatus.CANCELLED)


def _closed(order: Order, _: OrderClosed) -> Order:
    return replace(order, status=OrderStatus.CLOSED)


def _line_allocated(line: OrderLine, event: OrderLineAllocated) -> OrderLine:
    return replace(line, open=event.open, backordered=event.backordered, allocated=event.allocated)


def _line_released(line: OrderLine, event: AllocationReleased) -> OrderLine:
    return replace(line, open=event.open, allocated=event.allocated)


def _line_backordered(line: OrderLine, event: OrderLineBackordered) -> OrderLine:
    return replace(line, open=event.open, backordered=event.backordered)


def _line_shipped(line: OrderLine, event: OrderLineShipped) -> OrderLine:
    return replace(
        line, open=event.open, backordered=event.backordered, allocated=event.allocated, shipped=event.shipped
    )


def _line_cancelled(line: OrderLine, event: OrderLineCancelled) -> OrderLine:
    return replace(
        line, open=event.open, backordered=event.backordered, allocated=event.allocated, cancelled=event.cancelled
    )


def _line_delivered(line: OrderLine, event: OrderLineDelivered) -> OrderLine:
    return replace(line, delivered=event.delivered)


def _line_returned(line: OrderLine, event: OrderLineReturned) -> OrderLine:
    return replace(line, returned=event.returned)


def _of_line(evolve_line: Callable[[OrderLine, Any], OrderLine]) -> Callable[[Order, Any], Order]:
    def evolve_order(order: Order, event: Any) -> Order:
        line_no = event.line_no
        return Order(
            order.order_id,
            order.status,
            order.confirmed,
            order.held,
            order.promised_date,
            order.original_promised_date,
            {**order.lines, line_no: evolve_line(order.lines[line_no], event)},
        )

    return evolve_order


_EVOLUTIONS: dict[type, Callable[[Any, Any], Order]] = {
    OrderPlaced: _placed,
    OrderLinesAdded: _lines_added,
    OrderLinesIncreased: _lines_increased,
    OrderConfirmed: _confirmed,
    PromiseRevised: _promise_revised,
    RequestedDateRevised: _unchanged,
    OrderHeld: _held,
    OrderReleased: _released,
    OrderCancelled: _cancelled,
    OrderClosed: _closed,
    OrderLineAllocated: _of_line(_line_allocated),
    AllocationReleased: _of_line(_line_released),
    OrderLineBackordered: _of_line(_line_backordered),
    OrderLineShipped: _of_line(_line_shipped),
    OrderLineCancelled: _of_line(_line_cancelled),
    OrderLineDelivered: _of_line(_line_delivered),
    OrderLineReturned: _of_line(_line_returned),
}
