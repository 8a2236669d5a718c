"""Decisions about units that come and go: received, returned, transferred."""

from __future__ import annotations

from domain.inventory.commands import ReceiveStock, ReturnStock, TransferStockIn, TransferStockOut
from domain.inventory.errors import TransferAlreadyRecorded, TransferUnbalanced
from domain.inventory.events import (
    InventoryEvent,
    StockReceived,
    StockReturned,
    StockTransferredIn,
    StockTransferredOut,
)
from domain.inventory.rules import require_available, require_room, with_reorder
from domain.inventory.state import Stock
from domain.shared.measures import require_amount, require_quantity


def receive(state: Stock, command: ReceiveStock) -> tuple[InventoryEvent, ...]:
    """Take in goods; raises StockLimitExceeded."""
    require_quantity(command.quantity)
    require_amount(command.unit_cost)
    require_room(state, command.quantity)
    event = StockReceived(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        quantity=command.quantity,
        supplier_id=command.supplier_id,
        unit_cost=command.unit_cost,
        ordered_at=command.ordered_at,
        on_hand=state.on_hand + command.quantity,
        reserved=state.reserved,
        quarantined=state.quarantined,
    )
    return (event,)


def take_back(state: Stock, command: ReturnStock) -> tuple[InventoryEvent, ...]:
    """Take in what a customer sends back; raises StockLimitExceeded."""
    require_quantity(command.quantity)
    require_room(state, command.quantity)
    event = StockReturned(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        quantity=command.quantity,
        order_id=command.order_id,
        on_hand=state.on_hand + command.quantity,
        reserved=state.reserved,
        quarantined=state.quarantined,
    )
    return (event,)


def transfer_out(state: Stock, command: TransferStockOut) -> tuple[InventoryEvent, ...]:
    """Send available units to another location.

    Raises TransferAlreadyRecorded where the transfer left before, or InsufficientStock.
    """
    require_quantity(command.quantity)
    if command.transfer_id in state.transfers_out:
        raise TransferAlreadyRecorded(f"({command.transfer_id})")
    require_available(state, command.quantity)
    event = StockTransferredOut(
        occurred_at=command.occurred_at,
        transfer_id=command.transfer_id,
        quantity=command.quantity,
        to_location_id=command.to_location_id,
        on_hand=state.on_hand - command.quantity,
        reserved=state.reserved,
        quarantined=state.quarantined,
    )
    return with_reorder(state, event)


def transfer_in(state: Stock, command: TransferStockIn) -> tuple[InventoryEvent, ...]:
    """Take in what arrives of a transfer, and declare the rest lost.

    Raises TransferUnbalanced, StockLimitExceeded, or TransferAlreadyRecorded where it arrived before.
    """
    require_quantity(command.sent)
    require_quantity(command.quantity, zero=True)
    require_quantity(command.lost, zero=True)
    if command.quantity + command.lost != command.sent:
        raise TransferUnbalanced(f"(sent {command.sent}, came in {command.quantity}, lost {command.lost})")
    if command.transfer_id in state.transfers_in:
        raise TransferAlreadyRecorded(f"({command.transfer_id})")
    require_room(state, command.quantity)
    event = StockTransferredIn(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        transfer_id=command.transfer_id,
        quantity=command.quantity,
        lost=command.lost,
        from_location_id=command.from_location_id,
        on_hand=state.on_hand + command.quantity,
        reserved=state.reserved,
        quarantined=state.quarantined,
    )
    return (event,)
