"""What happened to an order. Events carry the delta and the resulting totals of their line."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from domain.order.commands import OrderedLine
from domain.shared.record import record


@record
class IncreasedLine:
    """More units of one line, which are open; `ordered` and `open` are the line's with them."""

    line_no: int
    quantity: int
    ordered: int
    open: int


@record
class OrderPlaced:
    """A customer ordered lines, here by their numbers; prices and freight are in `currency` (ISO 4217)."""

    TOPIC: ClassVar[str] = "OrderPlaced.v1"

    occurred_at: datetime
    order_id: str
    customer_id: str
    currency: str
    lines: tuple[OrderedLine, ...]
    freight: Decimal
    requested_date: date | None
    promised_date: date | None
    carrier_id: str | None
    ship_to_city: str | None
    ship_to_country: str | None


@record
class OrderLinesAdded:
    """The customer ordered further lines, in the order's currency; all of their units are open."""

    TOPIC: ClassVar[str] = "OrderLinesAdded.v1"

    occurred_at: datetime
    lines: tuple[OrderedLine, ...]


@record
class OrderLinesIncreased:
    """The customer ordered more units of lines, at their prices and discounts."""

    TOPIC: ClassVar[str] = "OrderLinesIncreased.v1"

    occurred_at: datetime
    lines: tuple[IncreasedLine, ...]


@record
class OrderConfirmed:
    """The seller accepted the order; `promised_date` is the promise from now on, if any."""

    TOPIC: ClassVar[str] = "OrderConfirmed.v1"

    occurred_at: datetime
    promised_date: date | None


@record
class PromiseRevised:
    """The promised date changed; the original promise is kept beside it."""

    TOPIC: ClassVar[str] = "PromiseRevised.v1"

    occurred_at: datetime
    promised_date: date
    original_promised_date: date
    reason: str


@record
class RequestedDateRevised:
    """The customer wants the order by another date; promises stand as they were given."""

    TOPIC: ClassVar[str] = "RequestedDateRevised.v1"

    occurred_at: datetime
    requested_date: date
    reason: str


@record
class OrderLineAllocated:
    """Units of a line were set aside at a location; back-ordered units are served first."""

    TOPIC: ClassVar[str] = "OrderLineAllocated.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    location_id: str
    open: int
    backordered: int
    allocated: int


@record
class AllocationReleased:
    """Allocated units became open again."""

    TOPIC: ClassVar[str] = "AllocationReleased.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    reason: str
    open: int
    allocated: int


@record
class OrderLineBackordered:
    """Open units of a line wait for stock."""

    TOPIC: ClassVar[str] = "OrderLineBackordered.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    open: int
    backordered: int


@record
class OrderLineShipped:
    """Units left: allocated ones first, then open, then back-ordered; `location_id` is where from, if it was said."""

    TOPIC: ClassVar[str] = "OrderLineShipped.v2"

    occurred_at: datetime
    line_no: int
    quantity: int
    shipment_id: str | None
    carrier_id: str | None
    location_id: str | None
    open: int
    backordered: int
    allocated: int
    shipped: int


@record
class OrderLineDelivered:
    """Shipped units reached the customer."""

    TOPIC: ClassVar[str] = "OrderLineDelivered.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    shipment_id: str | None
    delivered: int


@record
class OrderLineCancelled:
    """Units were cancelled: open ones first, then back-ordered, then allocated."""

    TOPIC: ClassVar[str] = "OrderLineCancelled.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    reason: str
    open: int
    backordered: int
    allocated: int
    cancelled: int


@record
class OrderCancelled:
    """The whole order was cancelled; the cancellation of each line stands before this event."""

    TOPIC: ClassVar[str] = "OrderCancelled.v1"

    occurred_at: datetime
    reason: str


@record
class OrderHeld:
    """Allocating and shipping stopped."""

    TOPIC: ClassVar[str] = "OrderHeld.v1"

    occurred_at: datetime
    reason: str


@record
class OrderReleased:
    """The hold ended."""

    TOPIC: ClassVar[str] = "OrderReleased.v1"

    occurred_at: datetime


@record
class OrderLineReturned:
    """Delivered units came back."""

    TOPIC: ClassVar[str] = "OrderLineReturned.v1"

    occurred_at: datetime
    line_no: int
    quantity: int
    reason: str
    returned: int


@record
class OrderClosed:
    """Nothing more happens to the order but returns."""

    TOPIC: ClassVar[str] = "OrderClosed.v1"

    occurred_at: datetime


OrderEvent = (
    OrderPlaced
    | OrderLinesAdded
    | OrderLinesIncreased
    | OrderConfirmed
    | PromiseRevised
    | RequestedDateRevised
    | OrderLineAllocated
    | AllocationReleased
    | OrderLineBackordered
    | OrderLineShipped
    | OrderLineDelivered
    | OrderLineCancelled
    | OrderCancelled
    | OrderHeld
    | OrderReleased
    | OrderLineReturned
    | OrderClosed
)
