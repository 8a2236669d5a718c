"""What happened to a stock. Events carry the delta and the resulting levels.

An event that can be the first of its stream names the product and the location.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from domain.shared.record import record


@record
class StockReceived:
    """Goods arrived."""

    TOPIC: ClassVar[str] = "StockReceived.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    quantity: int
    supplier_id: str | None
    unit_cost: Decimal | None
    ordered_at: datetime | None
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockReserved:
    """Units were set aside; `remaining` is what the reservation holds."""

    TOPIC: ClassVar[str] = "StockReserved.v1"

    occurred_at: datetime
    reservation_id: str
    quantity: int
    remaining: int
    on_hand: int
    reserved: int
    quarantined: int


@record
class ReservationRejected:
    """Fewer units were available than a reservation asked for; nothing was set aside."""

    TOPIC: ClassVar[str] = "ReservationRejected.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    reservation_id: str
    quantity: int
    available: int


@record
class ReservationReleased:
    """Reserved units were given back."""

    TOPIC: ClassVar[str] = "ReservationReleased.v1"

    occurred_at: datetime
    reservation_id: str
    quantity: int
    remaining: int
    reason: str
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockPicked:
    """Reserved units were taken from the shelf; `picked` is the reservation's total."""

    TOPIC: ClassVar[str] = "StockPicked.v1"

    occurred_at: datetime
    reservation_id: str
    quantity: int
    picked: int


@record
class StockShipped:
    """Units left the location; `remaining` is what the reservation still holds, if there is one."""

    TOPIC: ClassVar[str] = "StockShipped.v1"

    occurred_at: datetime
    quantity: int
    reservation_id: str | None
    remaining: int | None
    shipment_id: str | None
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockTransferredOut:
    """Units left for another location."""

    TOPIC: ClassVar[str] = "StockTransferredOut.v1"

    occurred_at: datetime
    transfer_id: str
    quantity: int
    to_location_id: str
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockTransferredIn:
    """A transfer arrived; what did not come in is declared lost."""

    TOPIC: ClassVar[str] = "StockTransferredIn.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    transfer_id: str
    quantity: int
    lost: int
    from_location_id: str
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockCounted:
    """A count set the stock; `delta` is the difference that it found."""

    TOPIC: ClassVar[str] = "StockCounted.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    counted: int
    delta: int
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockAdjusted:
    """The stock was corrected by a signed number of units."""

    TOPIC: ClassVar[str] = "StockAdjusted.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    delta: int
    reason: str
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockQuarantined:
    """Available units were blocked."""

    TOPIC: ClassVar[str] = "StockQuarantined.v1"

    occurred_at: datetime
    quantity: int
    reason: str
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockReleasedFromQuarantine:
    """Blocked units became available again."""

    TOPIC: ClassVar[str] = "StockReleasedFromQuarantine.v1"

    occurred_at: datetime
    quantity: int
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockScrapped:
    """Units were thrown away; `from_quarantine` of them had been blocked."""

    TOPIC: ClassVar[str] = "StockScrapped.v1"

    occurred_at: datetime
    quantity: int
    from_quarantine: int
    reason: str
    on_hand: int
    reserved: int
    quarantined: int


@record
class StockReturned:
    """Units came back from a customer."""

    TOPIC: ClassVar[str] = "StockReturned.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    quantity: int
    order_id: str | None
    on_hand: int
    reserved: int
    quarantined: int


@record
class ReorderPointSet:
    """The level at which to order again was set."""

    TOPIC: ClassVar[str] = "ReorderPointSet.v1"

    occurred_at: datetime
    product_id: str
    location_id: str
    reorder_point: int
    reorder_quantity: int


@record
class ReorderPointReached:
    """Available units fell to the reorder point or below it."""

    TOPIC: ClassVar[str] = "ReorderPointReached.v1"

    occurred_at: datetime
    available: int
    reorder_point: int
    reorder_quantity: int


InventoryEvent = (
    StockReceived
    | StockReserved
    | ReservationRejected
    | ReservationReleased
    | StockPicked
    | StockShipped
    | StockTransferredOut
    | StockTransferredIn
    | StockCounted
    | StockAdjusted
    | StockQuarantined
    | StockReleasedFromQuarantine
    | StockScrapped
    | StockReturned
    | ReorderPointSet
    | ReorderPointReached
)
