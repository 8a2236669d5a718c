"""What may be asked of the stock of a product at a location. `occurred_at` is business time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.shared.record import record


@record
class InventoryCommand:
    """The stock that a command addresses, and when the business did it."""

    product_id: str
    location_id: str
    occurred_at: datetime


@record
class ReceiveStock(InventoryCommand):
    """Goods arrived; `unit_cost` in the product's currency, `ordered_at` when the supplier got the order."""

    quantity: int
    supplier_id: str | None = None
    unit_cost: Decimal | None = None
    ordered_at: datetime | None = None


@record
class ReserveStock(InventoryCommand):
    """Set units aside under a reservation of its own name."""

    reservation_id: str
    quantity: int


@record
class ReleaseReservation(InventoryCommand):
    """Give reserved units back; all that remain where no quantity is given."""

    reservation_id: str
    reason: str
    quantity: int | None = None


@record
class PickStock(InventoryCommand):
    """Take reserved units from the shelf; they stay on hand until they are shipped."""

    reservation_id: str
    quantity: int


@record
class ShipStock(InventoryCommand):
    """Units leave the location, from a reservation or from what is available."""

    quantity: int
    reservation_id: str | None = None
    shipment_id: str | None = None


@record
class TransferStockOut(InventoryCommand):
    """Units leave for another location."""

    transfer_id: str
    quantity: int
    to_location_id: str


@record
class TransferStockIn(InventoryCommand):
    """A transfer arrives: of `sent` units, `quantity` came in and `lost` are declared lost."""

    transfer_id: str
    sent: int
    quantity: int
    from_location_id: str
    lost: int = 0


@record
class CountStock(InventoryCommand):
    """A stock count found `counted` units, quarantined ones included."""

    counted: int


@record
class AdjustStock(InventoryCommand):
    """Correct the stock by a signed number of units, with a reason."""

    delta: int
    reason: str


@record
class QuarantineStock(InventoryCommand):
    """Block available units, e.g. for a quality check."""

    quantity: int
    reason: str


@record
class ReleaseStockFromQuarantine(InventoryCommand):
    """Blocked units become available again."""

    quantity: int


@record
class ScrapStock(InventoryCommand):
    """Units are thrown away: quarantined ones first, then available ones."""

    quantity: int
    reason: str


@record
class ReturnStock(InventoryCommand):
    """Units came back from a customer."""

    quantity: int
    order_id: str | None = None


@record
class SetReorderPoint(InventoryCommand):
    """At `reorder_point` available units or fewer, `reorder_quantity` should be ordered."""

    reorder_point: int
    reorder_quantity: int = 0


COMMANDS: tuple[type[InventoryCommand], ...] = (
    ReceiveStock,
    ReserveStock,
    ReleaseReservation,
    PickStock,
    ShipStock,
    TransferStockOut,
    TransferStockIn,
    CountStock,
    AdjustStock,
    QuarantineStock,
    ReleaseStockFromQuarantine,
    ScrapStock,
    ReturnStock,
    SetReorderPoint,
)
