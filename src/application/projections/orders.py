"""Silver orders: each order and its lines as they stand after their events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from application.codec import Recorded
from application.event_shapes import by_event
from application.projections import order_line_events as line_events
from application.projections.order_line_events import OrderLineEventRow
from application.projections.order_rows import (
    OrderLineRow,
    OrderRow,
    added_line_rows,
    confirmed_at,
    increase,
    line_rows,
    order_row,
    split_freight,
)
from application.projections.subject import Rows, Subject
from application.projections.table import Table
from domain.order import events


@dataclass(slots=True)
class OrderView:
    """An order, its lines by number, and what happened to them since they were loaded."""

    order: OrderRow
    lines: dict[int, OrderLineRow]
    line_events: list[OrderLineEventRow] = field(default_factory=list)


def fold(view: OrderView | None, recorded: Recorded) -> OrderView:
    """Return the order after one event; an event that was folded before changes nothing."""
    if view is not None and recorded.position <= view.order.last_position:
        return view
    return _FOLDS[type(recorded.event)](view, recorded)


def load(rows: Rows) -> OrderView:
    """Return the view of an order's rows."""
    (order,) = rows["orders"]
    return OrderView(order, {line.line_no: line for line in rows["order_lines"]})


def rows_of(view: OrderView) -> Mapping[str, Iterable[Any]]:
    """Return an order's rows by table."""
    return {"orders": (view.order,), "order_lines": view.lines.values(), "order_line_events": view.line_events}


def _placed(_: OrderView | None, recorded: Recorded) -> OrderView:
    order = order_row(recorded.event, recorded.stream_id, recorded.position)
    # As the event lists them: by number, but for orders that were recorded before lines were sorted.
    lines = line_rows(order, recorded.event.lines)
    split_freight(order, lines, recorded.position)
    return OrderView(order, {line.line_no: line for line in lines}, line_events.placed(recorded))


def _lines_added(view: OrderView, recorded: Recorded) -> OrderView:
    rows = added_line_rows(view.order, recorded.event)
    view.lines |= {row.line_no: row for row in rows}
    view.order.line_count = len(view.lines)
    view.line_events += line_events.added(recorded)
    return _ordered_more(view, rows, recorded.position)


def _lines_increased(view: OrderView, recorded: Recorded) -> OrderView:
    rows = [view.lines[more.line_no] for more in recorded.event.lines]
    for line, more in zip(rows, recorded.event.lines, strict=True):
        increase(line, more)
        line.status = _status(line)
    view.line_events += line_events.increased(recorded)
    return _ordered_more(view, rows, recorded.position)


def _ordered_more(view: OrderView, changed: Iterable[OrderLineRow], position: int) -> OrderView:
    for line in changed:
        line.last_position = position
    view.order.last_position = position
    split_freight(view.order, [view.lines[number] for number in sorted(view.lines)], position)
    return view


def _confirmed(view: OrderView, event: events.OrderConfirmed) -> None:
    order = view.order
    order.status = "confirmed"
    order.confirmed_at = event.occurred_at
    order.promised_date = event.promised_date
    order.original_promised_date = order.original_promised_date or event.promised_date


def _promise_revised(view: OrderView, event: events.PromiseRevised) -> None:
    view.order.promised_date = event.promised_date
    view.order.original_promised_date = event.original_promised_date
    for line in view.lines.values():
        line.promise_revisions += 1


def _requested_date_revised(view: OrderView, event: events.RequestedDateRevised) -> None:
    view.order.requested_date = event.requested_date


def _held(view: OrderView, event: events.OrderHeld) -> None:
    view.order.held = True
    view.order.hold_reason = event.reason


def _released(view: OrderView, _: events.OrderReleased) -> None:
    view.order.held = False
    view.order.hold_reason = None


def _order_cancelled(view: OrderView, event: events.OrderCancelled) -> None:
    view.order.status = "cancelled"
    view.order.cancelled_at = event.occurred_at
    view.order.cancel_reason = event.reason


def _closed(view: OrderView, event: events.OrderClosed) -> None:
    view.order.status = "closed"
    view.order.closed_at = event.occurred_at


def _of_order(change: Callable[[OrderView, Any], None], *, lines: bool = False) -> Callable[..., OrderView]:
    """Fold an event of the order; with `lines`, its lines carry what it changes."""

    def fold_order(view: OrderView, recorded: Recorded) -> OrderView:
        order = view.order
        change(view, recorded.event)
        order.last_position = recorded.position
        if lines:
            for line in view.lines.values():
                line.confirmed_at = confirmed_at(order, line)
                line.requested_date = order.requested_date
                line.promised_date = order.promised_date
                line.original_promised_date = order.original_promised_date
                line.last_position = recorded.position
        return view

    return fold_order


def _allocated(line: OrderLineRow, event: events.OrderLineAllocated) -> None:
    line.open = event.open
    line.backordered = event.backordered
    line.allocated = event.allocated
    line.location_id = event.location_id
    if line.first_allocated_at is None or event.occurred_at < line.first_allocated_at:
        line.first_allocated_at = event.occurred_at


def _allocation_released(line: OrderLineRow, event: events.AllocationReleased) -> None:
    line.open = event.open
    line.allocated = event.allocated


def _backordered(line: OrderLineRow, event: events.OrderLineBackordered) -> None:
    line.open = event.open
    line.backordered = event.backordered
    if line.backordered_at is None or event.occurred_at < line.backordered_at:
        line.backordered_at = event.occurred_at


def _shipped(line: OrderLineRow, event: events.OrderLineShipped) -> None:
    line.open = event.open
    line.backordered = event.backordered
    line.allocated = event.allocated
    line.shipped = event.shipped
    if event.location_id is not None:
        line.location_id = event.location_id
    if line.first_shipped_at is None or event.occurred_at < line.first_shipped_at:
        line.first_shipped_at = event.occurred_at
        line.shipping_carrier_id = event.carrier_id
        line.shipment_id = event.shipment_id
    line.last_shipped_at = _later(line.last_shipped_at, event.occurred_at)


def _delivered(line: OrderLineRow, event: events.OrderLineDelivered) -> None:
    line.delivered = event.delivered
    line.delivered_at = _later(line.delivered_at, event.occurred_at)


def _cancelled(line: OrderLineRow, event: events.OrderLineCancelled) -> None:
    line.open = event.open
    line.backordered = event.backordered
    line.allocated = event.allocated
    line.cancelled = event.cancelled
    line.cancelled_at = _later(line.cancelled_at, event.occurred_at)


def _returned(line: OrderLineRow, event: events.OrderLineReturned) -> None:
    line.returned = event.returned
    line.returned_at = _later(line.returned_at, event.occurred_at)


def _later(known: datetime | None, stated: datetime) -> datetime:
    return stated if known is None or stated > known else known


def _of_line(
    change: Callable[[OrderLineRow, Any], None], kind: str, said: Callable[[Any], line_events.Said]
) -> Callable[..., OrderView]:
    event_row = line_events.maker(kind, said)

    def fold_line(view: OrderView, recorded: Recorded) -> OrderView:
        event = recorded.event
        line = view.lines[event.line_no]
        change(line, event)
        line.status = _status(line)
        line.last_position = view.order.last_position = recorded.position
        view.line_events.append(event_row(recorded))
        return view

    return fold_line


def _status(line: OrderLineRow) -> str:
    wanted = line.ordered - line.cancelled
    if wanted == 0:
        return "cancelled"
    if line.shipped:
        if line.returned == wanted:
            return "returned"
        if line.delivered == wanted:
            return "delivered"
        return "shipped" if line.shipped == wanted else "partly_shipped"
    if line.backordered:
        return "backordered"
    return "allocated" if line.allocated == wanted else "open"


_OF_EVENTS: dict[type, Callable[..., OrderView]] = {
    events.OrderPlaced: _placed,
    events.OrderLinesAdded: _lines_added,
    events.OrderLinesIncreased: _lines_increased,
    events.OrderConfirmed: _of_order(_confirmed, lines=True),
    events.PromiseRevised: _of_order(_promise_revised, lines=True),
    events.RequestedDateRevised: _of_order(_requested_date_revised, lines=True),
    events.OrderHeld: _of_order(_held),
    events.OrderReleased: _of_order(_released),
    events.OrderCancelled: _of_order(_order_cancelled),
    events.OrderClosed: _of_order(_closed),
    events.OrderLineAllocated: _of_line(_allocated, "allocated", lambda e: (e.allocated, e.location_id, None, None)),
    events.AllocationReleased: _of_line(
        _allocation_released, "allocation_released", lambda e: (e.allocated, None, None, None)
    ),
    events.OrderLineBackordered: _of_line(_backordered, "backordered", lambda e: (e.backordered, None, None, None)),
    events.OrderLineShipped: _of_line(
        _shipped, "shipped", lambda e: (e.shipped, e.location_id, e.carrier_id, e.shipment_id)
    ),
    events.OrderLineDelivered: _of_line(_delivered, "delivered", lambda e: (e.delivered, None, None, e.shipment_id)),
    events.OrderLineCancelled: _of_line(_cancelled, "cancelled", lambda e: (e.cancelled, None, None, None)),
    events.OrderLineReturned: _of_line(_returned, "returned", lambda e: (e.returned, None, None, None)),
}
_FOLDS = by_event(_OF_EVENTS)

SUBJECT = Subject(
    name="orders",
    prefix="order-",
    tables=(
        Table("orders", OrderRow, ("order_id",)),
        Table(
            "order_lines",
            OrderLineRow,
            ("stream_id", "line_no"),
            indexes=(("product_id",), ("customer_id",)),
        ),
        Table("order_line_events", OrderLineEventRow, ("stream_id", "version", "line_no"), append_only=True),
    ),
    fold=fold,
    load=load,
    rows=rows_of,
)
