"""What may be asked of an order. `occurred_at` is business time, with an offset."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from domain.shared.record import record


@record
class OrderedLine:
    """One line as ordered: units of a product at a price; `discount` is a share from 0 to 1."""

    line_no: int
    product_id: str
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal(0)


@record
class LineQuantity:
    """Units of one order line."""

    line_no: int
    quantity: int


@record
class OrderCommand:
    """The order that a command addresses, and when the business did it."""

    order_id: str
    occurred_at: datetime


@record
class PlaceOrder(OrderCommand):
    """A customer orders lines; prices and freight are in `currency` (ISO 4217)."""

    customer_id: str
    currency: str
    lines: tuple[OrderedLine, ...]
    freight: Decimal = Decimal(0)
    requested_date: date | None = None
    promised_date: date | None = None
    carrier_id: str | None = None
    ship_to_city: str | None = None
    ship_to_country: str | None = None


@record
class AddOrderLines(OrderCommand):
    """The customer orders further lines with the order, in its currency."""

    lines: tuple[OrderedLine, ...]


@record
class IncreaseOrderLines(OrderCommand):
    """The customer orders more units of lines, at their prices and discounts."""

    lines: tuple[LineQuantity, ...]


@record
class ConfirmOrder(OrderCommand):
    """The seller accepts the order, perhaps with a promised delivery date."""

    promised_date: date | None = None


@record
class RevisePromise(OrderCommand):
    """The promised delivery date changes."""

    promised_date: date
    reason: str


@record
class ReviseRequestedDate(OrderCommand):
    """The customer wants the order by another date."""

    requested_date: date
    reason: str


@record
class AllocateOrderLines(OrderCommand):
    """Stock at a location is set aside for lines."""

    location_id: str
    lines: tuple[LineQuantity, ...]


@record
class ReleaseAllocation(OrderCommand):
    """Allocated units become open again."""

    lines: tuple[LineQuantity, ...]
    reason: str


@record
class BackorderOrderLines(OrderCommand):
    """Open units wait for stock."""

    lines: tuple[LineQuantity, ...]


@record
class ShipOrderLines(OrderCommand):
    """Units left for the customer with a shipment, perhaps from a location that they were not allocated at."""

    lines: tuple[LineQuantity, ...]
    shipment_id: str | None = None
    carrier_id: str | None = None
    location_id: str | None = None


@record
class DeliverOrderLines(OrderCommand):
    """Shipped units reached the customer."""

    lines: tuple[LineQuantity, ...]
    shipment_id: str | None = None


@record
class CancelOrderLines(OrderCommand):
    """Units that were not shipped are cancelled."""

    lines: tuple[LineQuantity, ...]
    reason: str


@record
class CancelOrder(OrderCommand):
    """The whole order is cancelled, before anything was shipped."""

    reason: str


@record
class HoldOrder(OrderCommand):
    """Stop allocating and shipping, e.g. for a credit check."""

    reason: str


@record
class ReleaseOrder(OrderCommand):
    """End the hold."""


@record
class ReturnOrderLines(OrderCommand):
    """Delivered units came back."""

    lines: tuple[LineQuantity, ...]
    reason: str


@record
class CloseOrder(OrderCommand):
    """Nothing more will happen to the order but returns."""


COMMANDS: tuple[type[OrderCommand], ...] = (
    PlaceOrder,
    AddOrderLines,
    IncreaseOrderLines,
    ConfirmOrder,
    RevisePromise,
    ReviseRequestedDate,
    AllocateOrderLines,
    ReleaseAllocation,
    BackorderOrderLines,
    ShipOrderLines,
    DeliverOrderLines,
    CancelOrderLines,
    CancelOrder,
    HoldOrder,
    ReleaseOrder,
    ReturnOrderLines,
    CloseOrder,
)
