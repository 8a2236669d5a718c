"""Events as people read them on the command line and the dashboard."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from application import codec
from domain.order.commands import OrderedLine
from domain.order.events import OrderClosed, OrderLineDelivered, OrderPlaced

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_fields_stand_one_after_the_other_without_the_time_that_has_a_column_of_its_own() -> None:
    event = OrderLineDelivered(occurred_at=NOON, line_no=1, quantity=2, shipment_id=None, delivered=5)
    assert codec.describe(event) == "line_no=1 quantity=2 delivered=5"
    assert codec.describe(OrderClosed(occurred_at=NOON)) == ""


def test_what_an_event_holds_many_of_is_told_field_by_field() -> None:
    lines = (
        OrderedLine(
            line_no=1, product_id="PRD-004", quantity=3, unit_price=Decimal("386.68"), discount=Decimal("0.10")
        ),
        OrderedLine(line_no=2, product_id="PRD-043", quantity=1, unit_price=Decimal(9), discount=Decimal(0)),
    )
    event = OrderPlaced(
        occurred_at=NOON,
        order_id="SO-1",
        customer_id="CUS-1",
        currency="EUR",
        lines=lines,
        freight=Decimal(0),
        requested_date=date(2026, 3, 7),
        promised_date=None,
        carrier_id=None,
        ship_to_city=None,
        ship_to_country=None,
    )
    assert codec.describe(event) == (
        "order_id=SO-1 customer_id=CUS-1 currency=EUR "
        "lines=[line_no=1 product_id=PRD-004 quantity=3 unit_price=386.68 discount=0.10; "
        "line_no=2 product_id=PRD-043 quantity=1 unit_price=9 discount=0] "
        "freight=0 requested_date=2026-03-07"
    )
