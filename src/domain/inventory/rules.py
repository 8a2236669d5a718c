"""Rules that several decisions about a stock share."""

from __future__ import annotations

from domain.inventory.errors import InsufficientStock, ReasonMissing, StockLimitExceeded
from domain.inventory.events import InventoryEvent, ReorderPointReached
from domain.inventory.state import LevelledEvent, Stock
from domain.shared.measures import MAX_QUANTITY


def require_available(state: Stock, quantity: int) -> None:
    """Raise InsufficientStock unless so many units are neither reserved nor quarantined."""
    if quantity > state.available:
        raise InsufficientStock(f"(asked for {quantity}, available {state.available})")


def require_room(state: Stock, quantity: int) -> None:
    """Raise StockLimitExceeded where so many more units would exceed what can be on hand."""
    if state.on_hand + quantity > MAX_QUANTITY:
        raise StockLimitExceeded(f"(on hand {state.on_hand}, to be added {quantity})")


def require_reason(reason: str) -> None:
    """Raise ReasonMissing for a blank reason."""
    if not reason.strip():
        raise ReasonMissing


def with_reorder(state: Stock, event: LevelledEvent) -> tuple[InventoryEvent, ...]:
    """Return the event, and ReorderPointReached where available units fall to the point or below it.

    `state` is the stock before the whole decision, `event` the last one to change its levels.
    """
    point = state.reorder_point
    if point is None:
        return (event,)
    available = event.on_hand - event.reserved - event.quarantined
    if not available <= point < state.available:
        return (event,)
    reached = ReorderPointReached(
        occurred_at=event.occurred_at,
        available=available,
        reorder_point=point,
        reorder_quantity=state.reorder_quantity,
    )
    return event, reached
