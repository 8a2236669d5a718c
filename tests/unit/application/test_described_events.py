"""Events as people read them on the command line and the dashboard."""

from __future__ import annotations

from application import codec
from domain.order.events import OrderClosed, OrderLineDelivered
from tests.unit.domain.order.samples import AT, PLACED


def test_fields_stand_one_after_the_other_without_the_time_that_has_a_column_of_its_own() -> None:
    event = OrderLineDelivered(occurred_at=AT, line_no=1, quantity=2, shipment_id=None, delivered=5)
    assert codec.describe(event) == "line_no=1 quantity=2 delivered=5"
    assert codec.describe(OrderClosed(occurred_at=AT)) == ""


def test_what_an_event_holds_many_of_is_told_field_by_field() -> None:
    assert codec.describe(PLACED) == (
        "order_id=SO-1 customer_id=C-1 currency=EUR "
        "lines=[line_no=1 product_id=P-1 quantity=10 unit_price=9.99 discount=0; "
        "line_no=2 product_id=P-2 quantity=4 unit_price=0.5 discount=0.125] "
        f"freight=4.90 requested_date=2026-03-08 promised_date={PLACED.promised_date} "
        "carrier_id=DHL ship_to_city=Hamburg ship_to_country=DE"
    )
