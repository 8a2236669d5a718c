"""An order decides: a command gives events, or a refusal that names the rule it would break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.order.commands import (
    AddOrderLines,
    AllocateOrderLines,
    BackorderOrderLines,
    CancelOrder,
    CancelOrderLines,
    CloseOrder,
    ConfirmOrder,
    DeliverOrderLines,
    HoldOrder,
    IncreaseOrderLines,
    OrderCommand,
    PlaceOrder,
    ReleaseAllocation,
    ReleaseOrder,
    ReturnOrderLines,
    RevisePromise,
    ReviseRequestedDate,
    ShipOrderLines,
)
from domain.order.errors import (
    OrderAlreadyCancelled,
    OrderAlreadyClosed,
    OrderAlreadyConfirmed,
    OrderAlreadyDelivered,
    OrderAlreadyHeld,
    OrderAlreadyPlaced,
    OrderAlreadyShipped,
    OrderNotHeld,
    OrderNotPlaced,
    OrderNotPromised,
    OrderOnHold,
    OrderUnfinished,
)
from domain.order.events import (
    OrderCancelled,
    OrderClosed,
    OrderConfirmed,
    OrderEvent,
    OrderHeld,
    OrderReleased,
    PromiseRevised,
    RequestedDateRevised,
)
from domain.order.evolve import evolve
from domain.order.lines import cancel_line, decide_lines
from domain.order.placing import add_lines, increase_lines, place
from domain.order.state import Order, OrderLine, OrderStatus

__all__ = ["Order", "OrderLine", "OrderStatus", "decide", "evolve"]

_Events = tuple[OrderEvent, ...]
# Looked up once: an enum's member takes a while to find by its class.
_CANCELLED, _CLOSED = OrderStatus.CANCELLED, OrderStatus.CLOSED


def decide(state: Order | None, command: OrderCommand) -> _Events:
    """Return the events that the command causes, all at the command's time, or raise a named refusal."""
    if isinstance(command, PlaceOrder):
        if state is not None:
            raise OrderAlreadyPlaced(_name(state))
        return (place(command),)
    if state is None:
        raise OrderNotPlaced(f"(order {command.order_id})")
    _require_acceptance(state, command)
    return _DECISIONS[type(command)](state, command)


def _require_acceptance(order: Order, command: OrderCommand) -> None:
    if order.status is _CANCELLED:
        raise OrderAlreadyCancelled(_name(order))
    if order.status is _CLOSED and not isinstance(command, ReturnOrderLines):
        raise OrderAlreadyClosed(_name(order))
    if order.held and isinstance(command, AllocateOrderLines | ShipOrderLines):
        raise OrderOnHold(_name(order))


def _confirm(order: Order, command: ConfirmOrder) -> _Events:
    if order.confirmed:
        raise OrderAlreadyConfirmed(_name(order))
    # A confirmation without a date lets the promise stand that was given when the order was placed.
    promise = command.promised_date or order.promised_date
    return (OrderConfirmed(occurred_at=command.occurred_at, promised_date=promise),)


def _revise_promise(order: Order, command: RevisePromise) -> _Events:
    if order.original_promised_date is None:
        raise OrderNotPromised(_name(order))
    return (
        PromiseRevised(
            occurred_at=command.occurred_at,
            promised_date=command.promised_date,
            original_promised_date=order.original_promised_date,
            reason=command.reason,
        ),
    )


def _revise_requested_date(_: Order, command: ReviseRequestedDate) -> _Events:
    return (
        RequestedDateRevised(
            occurred_at=command.occurred_at, requested_date=command.requested_date, reason=command.reason
        ),
    )


def _cancel(order: Order, command: CancelOrder) -> _Events:
    lines = order.lines.values()
    if any(line.delivered for line in lines):
        raise OrderAlreadyDelivered(_name(order))
    if any(line.shipped for line in lines):
        raise OrderAlreadyShipped(_name(order))
    return (
        *[cancel_line(line, line.remaining, command) for line in lines if line.remaining],
        OrderCancelled(occurred_at=command.occurred_at, reason=command.reason),
    )


def _hold(order: Order, command: HoldOrder) -> _Events:
    if order.held:
        raise OrderAlreadyHeld(_name(order))
    return (OrderHeld(occurred_at=command.occurred_at, reason=command.reason),)


def _release(order: Order, command: ReleaseOrder) -> _Events:
    if not order.held:
        raise OrderNotHeld(_name(order))
    return (OrderReleased(occurred_at=command.occurred_at),)


def _close(order: Order, command: CloseOrder) -> _Events:
    for line in order.lines.values():
        if line.remaining or line.under_way:
            raise OrderUnfinished(
                f"(order {order.order_id}, line {line.line_no}: open {line.open}, "
                f"back-ordered {line.backordered}, allocated {line.allocated}, under way {line.under_way})"
            )
    return (OrderClosed(occurred_at=command.occurred_at),)


def _name(order: Order) -> str:
    return f"(order {order.order_id})"


_DECISIONS: dict[type, Callable[[Order, Any], _Events]] = {
    AddOrderLines: add_lines,
    IncreaseOrderLines: increase_lines,
    ConfirmOrder: _confirm,
    RevisePromise: _revise_promise,
    ReviseRequestedDate: _revise_requested_date,
    AllocateOrderLines: decide_lines,
    ReleaseAllocation: decide_lines,
    BackorderOrderLines: decide_lines,
    ShipOrderLines: decide_lines,
    DeliverOrderLines: decide_lines,
    CancelOrderLines: decide_lines,
    CancelOrder: _cancel,
    HoldOrder: _hold,
    ReleaseOrder: _release,
    ReturnOrderLines: decide_lines,
    CloseOrder: _close,
}
