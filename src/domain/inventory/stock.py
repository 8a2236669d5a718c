"""The stock of one product at one location: which rule decides a command, and what events make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.inventory import corrections, movements, reservations
from domain.inventory.commands import (
    AdjustStock,
    CountStock,
    InventoryCommand,
    PickStock,
    QuarantineStock,
    ReceiveStock,
    ReleaseReservation,
    ReleaseStockFromQuarantine,
    ReserveStock,
    ReturnStock,
    ScrapStock,
    SetReorderPoint,
    ShipStock,
    TransferStockIn,
    TransferStockOut,
)
from domain.inventory.errors import StockUnknown
from domain.inventory.events import InventoryEvent, ReorderPointSet
from domain.inventory.state import EMPTY, Stock, evolve
from domain.shared.measures import require_quantity

__all__ = ["Stock", "decide", "evolve"]


def decide(state: Stock | None, command: InventoryCommand) -> tuple[InventoryEvent, ...]:
    """Return the events that a command causes; None is the stock of a stream that doesn't exist yet.

    Raises a refusal of `domain.inventory.errors` or `domain.shared.refusal` where a rule forbids it.
    """
    kind = type(command)
    if state is None:
        if kind not in _OPENING:
            raise StockUnknown(f"({command.product_id} at {command.location_id})")
        state = EMPTY
    return _DECIDE[kind](state, command)


def _set_reorder_point(_state: Stock, command: SetReorderPoint) -> tuple[InventoryEvent, ...]:
    require_quantity(command.reorder_point, zero=True)
    require_quantity(command.reorder_quantity, zero=True)
    event = ReorderPointSet(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        reorder_point=command.reorder_point,
        reorder_quantity=command.reorder_quantity,
    )
    return (event,)


_DECIDE: dict[type, Callable[[Stock, Any], tuple[InventoryEvent, ...]]] = {
    ReceiveStock: movements.receive,
    ReserveStock: reservations.reserve,
    ReleaseReservation: reservations.release,
    PickStock: reservations.pick,
    ShipStock: reservations.ship,
    TransferStockOut: movements.transfer_out,
    TransferStockIn: movements.transfer_in,
    CountStock: corrections.count,
    AdjustStock: corrections.adjust,
    QuarantineStock: corrections.quarantine,
    ReleaseStockFromQuarantine: corrections.release_from_quarantine,
    ScrapStock: corrections.scrap,
    ReturnStock: movements.take_back,
    SetReorderPoint: _set_reorder_point,
}
# Commands whose event names product and location, and so can be the first of its stream.
_OPENING = frozenset(
    {ReceiveStock, ReserveStock, TransferStockIn, CountStock, AdjustStock, ReturnStock, SetReorderPoint}
)
