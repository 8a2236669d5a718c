"""Decisions that correct a stock: counted, adjusted, blocked in quarantine, scrapped."""

from __future__ import annotations

from domain.inventory.commands import (
    AdjustStock,
    CountStock,
    QuarantineStock,
    ReleaseStockFromQuarantine,
    ScrapStock,
)
from domain.inventory.errors import AdjustmentWithoutChange, CountBelowQuarantined, QuarantineExceeded
from domain.inventory.events import (
    InventoryEvent,
    StockAdjusted,
    StockCounted,
    StockQuarantined,
    StockReleasedFromQuarantine,
    StockScrapped,
)
from domain.inventory.reservations import release_shortfall
from domain.inventory.rules import require_available, require_reason, require_room, with_reorder
from domain.inventory.state import Stock
from domain.shared.measures import require_quantity


def count(state: Stock, command: CountStock) -> tuple[InventoryEvent, ...]:
    """Set what is on hand; reserved units that were not found are released first.

    Raises CountBelowQuarantined where fewer units were found than are in quarantine.
    """
    require_quantity(command.counted, zero=True)
    if command.counted < state.quarantined:
        raise CountBelowQuarantined(f"(counted {command.counted}, in quarantine {state.quarantined})")
    reserved = min(state.reserved, command.counted - state.quarantined)
    event = StockCounted(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        counted=command.counted,
        delta=command.counted - state.on_hand,
        on_hand=command.counted,
        reserved=reserved,
        quarantined=state.quarantined,
    )
    released = release_shortfall(state, state.reserved - reserved, command.occurred_at)
    return released + with_reorder(state, event)


def adjust(state: Stock, command: AdjustStock) -> tuple[InventoryEvent, ...]:
    """Correct what is on hand by a signed number of units.

    Raises AdjustmentWithoutChange, ReasonMissing, InsufficientStock or StockLimitExceeded.
    """
    require_reason(command.reason)
    if not command.delta:
        raise AdjustmentWithoutChange
    require_available(state, -command.delta)
    require_room(state, command.delta)
    event = StockAdjusted(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        delta=command.delta,
        reason=command.reason,
        on_hand=state.on_hand + command.delta,
        reserved=state.reserved,
        quarantined=state.quarantined,
    )
    return with_reorder(state, event)


def quarantine(state: Stock, command: QuarantineStock) -> tuple[InventoryEvent, ...]:
    """Block available units; raises ReasonMissing or InsufficientStock."""
    require_quantity(command.quantity)
    require_reason(command.reason)
    require_available(state, command.quantity)
    event = StockQuarantined(
        occurred_at=command.occurred_at,
        quantity=command.quantity,
        reason=command.reason,
        on_hand=state.on_hand,
        reserved=state.reserved,
        quarantined=state.quarantined + command.quantity,
    )
    return with_reorder(state, event)


def release_from_quarantine(state: Stock, command: ReleaseStockFromQuarantine) -> tuple[InventoryEvent, ...]:
    """Make blocked units available again; raises QuarantineExceeded."""
    require_quantity(command.quantity)
    if command.quantity > state.quarantined:
        raise QuarantineExceeded(f"(asked for {command.quantity}, in quarantine {state.quarantined})")
    event = StockReleasedFromQuarantine(
        occurred_at=command.occurred_at,
        quantity=command.quantity,
        on_hand=state.on_hand,
        reserved=state.reserved,
        quarantined=state.quarantined - command.quantity,
    )
    return (event,)


def scrap(state: Stock, command: ScrapStock) -> tuple[InventoryEvent, ...]:
    """Throw units away, quarantined ones first; raises ReasonMissing or InsufficientStock."""
    require_quantity(command.quantity)
    require_reason(command.reason)
    from_quarantine = min(command.quantity, state.quarantined)
    require_available(state, command.quantity - from_quarantine)
    event = StockScrapped(
        occurred_at=command.occurred_at,
        quantity=command.quantity,
        from_quarantine=from_quarantine,
        reason=command.reason,
        on_hand=state.on_hand - command.quantity,
        reserved=state.reserved,
        quarantined=state.quarantined - from_quarantine,
    )
    return with_reorder(state, event)
