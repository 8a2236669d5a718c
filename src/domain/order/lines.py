"""The rules of an order's lines: what may be done with how many units, and where the units come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from domain.order.commands import (
    AllocateOrderLines,
    BackorderOrderLines,
    CancelOrder,
    CancelOrderLines,
    DeliverOrderLines,
    LineQuantity,
    ReleaseAllocation,
    ReturnOrderLines,
    ShipOrderLines,
)
from domain.order.errors import (
    AllocationExceedsDemand,
    BackorderExceedsOpen,
    CancellationExceedsRemaining,
    DeliveryExceedsShipped,
    DuplicateOrderLine,
    NoOrderLines,
    ReleaseExceedsAllocated,
    ReturnExceedsDelivered,
    ShippedUnitsNotCancellable,
    ShippingExceedsRemaining,
    UnknownOrderLine,
)
from domain.order.events import (
    AllocationReleased,
    OrderEvent,
    OrderLineAllocated,
    OrderLineBackordered,
    OrderLineCancelled,
    OrderLineDelivered,
    OrderLineReturned,
    OrderLineShipped,
)
from domain.order.state import Order, OrderLine
from domain.shared.measures import require_quantity
from domain.shared.refusal import Refusal


def decide_lines(order: Order, command: Any) -> tuple[OrderEvent, ...]:
    """Return one event for each line that the command names, or raise: all lines or none."""
    decide_line = _LINE_DECISIONS[type(command)]
    return tuple([decide_line(line, quantity, command) for line, quantity in named_lines(order, command.lines)])


def named_lines(order: Order, lines: tuple[LineQuantity, ...]) -> Iterator[tuple[OrderLine, int]]:
    """Yield the lines that a command names, with the units; raise where it names none, one twice or an unknown one."""
    if not lines:
        raise NoOrderLines(f"(order {order.order_id})")
    seen: set[int] = set()
    for named in lines:
        line = order.lines.get(named.line_no)
        if line is None:
            raise UnknownOrderLine(f"(order {order.order_id}, line {named.line_no})")
        if named.line_no in seen:
            raise DuplicateOrderLine(f"(line {named.line_no})")
        seen.add(named.line_no)
        require_quantity(named.quantity)
        yield line, named.quantity


def cancel_line(line: OrderLine, quantity: int, command: CancelOrder | CancelOrderLines) -> OrderLineCancelled:
    """Cancel units of a line: open ones first, then back-ordered, then allocated."""
    if line.remaining < quantity <= line.remaining + line.shipped:
        raise ShippedUnitsNotCancellable(_figures(line, quantity, line.remaining))
    _require_at_most(line.remaining, line, quantity, CancellationExceedsRemaining)
    unserved, backordered, allocated = _draw(quantity, line.open, line.backordered, line.allocated)
    return OrderLineCancelled(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        reason=command.reason,
        open=unserved,
        backordered=backordered,
        allocated=allocated,
        cancelled=line.cancelled + quantity,
    )


def _allocate(line: OrderLine, quantity: int, command: AllocateOrderLines) -> OrderLineAllocated:
    _require_at_most(line.backordered + line.open, line, quantity, AllocationExceedsDemand)
    backordered, unserved = _draw(quantity, line.backordered, line.open)
    return OrderLineAllocated(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        location_id=command.location_id,
        open=unserved,
        backordered=backordered,
        allocated=line.allocated + quantity,
    )


def _release(line: OrderLine, quantity: int, command: ReleaseAllocation) -> AllocationReleased:
    _require_at_most(line.allocated, line, quantity, ReleaseExceedsAllocated)
    return AllocationReleased(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        reason=command.reason,
        open=line.open + quantity,
        allocated=line.allocated - quantity,
    )


def _backorder(line: OrderLine, quantity: int, command: BackorderOrderLines) -> OrderLineBackordered:
    _require_at_most(line.open, line, quantity, BackorderExceedsOpen)
    return OrderLineBackordered(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        open=line.open - quantity,
        backordered=line.backordered + quantity,
    )


def _ship(line: OrderLine, quantity: int, command: ShipOrderLines) -> OrderLineShipped:
    # Units may leave that were never allocated here: sources report what happened, in their own detail.
    _require_at_most(line.remaining, line, quantity, ShippingExceedsRemaining)
    allocated, unserved, backordered = _draw(quantity, line.allocated, line.open, line.backordered)
    return OrderLineShipped(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        shipment_id=command.shipment_id,
        carrier_id=command.carrier_id,
        location_id=command.location_id,
        open=unserved,
        backordered=backordered,
        allocated=allocated,
        shipped=line.shipped + quantity,
    )


def _deliver(line: OrderLine, quantity: int, command: DeliverOrderLines) -> OrderLineDelivered:
    _require_at_most(line.under_way, line, quantity, DeliveryExceedsShipped)
    return OrderLineDelivered(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        shipment_id=command.shipment_id,
        delivered=line.delivered + quantity,
    )


def _return(line: OrderLine, quantity: int, command: ReturnOrderLines) -> OrderLineReturned:
    _require_at_most(line.delivered - line.returned, line, quantity, ReturnExceedsDelivered)
    return OrderLineReturned(
        occurred_at=command.occurred_at,
        line_no=line.line_no,
        quantity=quantity,
        reason=command.reason,
        returned=line.returned + quantity,
    )


def _require_at_most(limit: int, line: OrderLine, quantity: int, refusal: type[Refusal]) -> None:
    if quantity > limit:
        raise refusal(_figures(line, quantity, limit))


def _figures(line: OrderLine, quantity: int, limit: int) -> str:
    return f"(line {line.line_no}: asked for {quantity}, possible {limit})"


def _draw(quantity: int, *pools: int) -> list[int]:
    """Take units from the pools, one pool after the other; return what is left in each."""
    left = []
    for pool in pools:
        taken = min(pool, quantity)
        quantity -= taken
        left.append(pool - taken)
    return left


_LINE_DECISIONS: dict[type, Callable[[OrderLine, int, Any], OrderEvent]] = {
    AllocateOrderLines: _allocate,
    ReleaseAllocation: _release,
    BackorderOrderLines: _backorder,
    ShipOrderLines: _ship,
    DeliverOrderLines: _deliver,
    CancelOrderLines: cancel_line,
    ReturnOrderLines: _return,
}
