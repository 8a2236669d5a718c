"""An order of two lines, its commands and its history, for the tests beside this file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.order.commands import (
    AddOrderLines,
    AllocateOrderLines,
    BackorderOrderLines,
    CancelOrder,
    CancelOrderLines,
    CloseOrder,
    ConfirmOrder,
    DeliverOrderLines,
    HoldOrder,
    IncreaseOrderLines,
    LineQuantity,
    OrderedLine,
    PlaceOrder,
    ReleaseAllocation,
    ReleaseOrder,
    ReturnOrderLines,
    RevisePromise,
    ReviseRequestedDate,
    ShipOrderLines,
)
from domain.order.events import OrderPlaced
from domain.order.order import decide, evolve
from tests.unit.domain.scenario import Scenario

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PROMISE = date(2026, 3, 9)
LATER = date(2026, 3, 12)
ADDRESSED: dict[str, Any] = {"order_id": "SO-1", "occurred_at": AT}

ORDER = Scenario(decide, evolve)
LINES = (
    OrderedLine(line_no=1, product_id="P-1", quantity=10, unit_price=Decimal("9.99")),
    OrderedLine(line_no=2, product_id="P-2", quantity=4, unit_price=Decimal("0.5"), discount=Decimal("0.125")),
)
PLACE = PlaceOrder(
    **ADDRESSED,
    customer_id="C-1",
    currency="EUR",
    lines=LINES,
    freight=Decimal("4.90"),
    requested_date=date(2026, 3, 8),
    promised_date=PROMISE,
    carrier_id="DHL",
    ship_to_city="Hamburg",
    ship_to_country="DE",
)
PLACED = OrderPlaced(
    occurred_at=AT,
    order_id="SO-1",
    customer_id="C-1",
    currency="EUR",
    lines=LINES,
    freight=Decimal("4.90"),
    requested_date=date(2026, 3, 8),
    promised_date=PROMISE,
    carrier_id="DHL",
    ship_to_city="Hamburg",
    ship_to_country="DE",
)
UNPROMISED = replace(PLACED, promised_date=None)


def units(*lines: tuple[int, int]) -> tuple[LineQuantity, ...]:
    return tuple(LineQuantity(line_no=line_no, quantity=quantity) for line_no, quantity in lines)


def ordered(line_no: int, quantity: int) -> OrderedLine:
    return OrderedLine(line_no=line_no, product_id=f"P-{line_no}", quantity=quantity, unit_price=Decimal("3.25"))


def add(*lines: tuple[int, int]) -> AddOrderLines:
    return AddOrderLines(**ADDRESSED, lines=tuple(ordered(*line) for line in lines))


def increase(*lines: tuple[int, int]) -> IncreaseOrderLines:
    return IncreaseOrderLines(**ADDRESSED, lines=units(*lines))


def confirm(promised_date: date | None = None) -> ConfirmOrder:
    return ConfirmOrder(**ADDRESSED, promised_date=promised_date)


def revise(promised_date: date) -> RevisePromise:
    return RevisePromise(**ADDRESSED, promised_date=promised_date, reason="late supplier")


def request(requested_date: date) -> ReviseRequestedDate:
    return ReviseRequestedDate(**ADDRESSED, requested_date=requested_date, reason="warehouse closed")


def allocate(*lines: tuple[int, int]) -> AllocateOrderLines:
    return AllocateOrderLines(**ADDRESSED, location_id="HAM", lines=units(*lines))


def release_allocation(*lines: tuple[int, int]) -> ReleaseAllocation:
    return ReleaseAllocation(**ADDRESSED, lines=units(*lines), reason="damaged")


def backorder(*lines: tuple[int, int]) -> BackorderOrderLines:
    return BackorderOrderLines(**ADDRESSED, lines=units(*lines))


def ship(*lines: tuple[int, int]) -> ShipOrderLines:
    return ShipOrderLines(**ADDRESSED, lines=units(*lines), shipment_id="SH-1", carrier_id="DHL", location_id="HAM")


def deliver(*lines: tuple[int, int]) -> DeliverOrderLines:
    return DeliverOrderLines(**ADDRESSED, lines=units(*lines), shipment_id="SH-1")


def cancel_lines(*lines: tuple[int, int]) -> CancelOrderLines:
    return CancelOrderLines(**ADDRESSED, lines=units(*lines), reason="changed mind")


def return_lines(*lines: tuple[int, int]) -> ReturnOrderLines:
    return ReturnOrderLines(**ADDRESSED, lines=units(*lines), reason="wrong size")


CANCEL = CancelOrder(**ADDRESSED, reason="changed mind")
HOLD = HoldOrder(**ADDRESSED, reason="credit check")
RELEASE = ReleaseOrder(**ADDRESSED)
CLOSE = CloseOrder(**ADDRESSED)
