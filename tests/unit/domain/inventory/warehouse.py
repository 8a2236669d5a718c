"""One product at one location: its scenario, and short forms of the commands put to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain.inventory.commands import InventoryCommand, ReceiveStock, ReserveStock
from domain.inventory.stock import decide, evolve
from tests.unit.domain.scenario import Scenario

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ITEM: dict[str, Any] = {"product_id": "P-1", "location_id": "L-1", "occurred_at": AT}

nothing = Scenario(decide, evolve)


def do(command: type[InventoryCommand], **details: Any) -> InventoryCommand:
    return command(**ITEM, **details)


def receive(quantity: int) -> InventoryCommand:
    return do(ReceiveStock, quantity=quantity)


def reserve(reservation_id: str, quantity: int) -> InventoryCommand:
    return do(ReserveStock, reservation_id=reservation_id, quantity=quantity)
