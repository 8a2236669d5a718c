"""What ingest takes finds its place in the star, at the edges of what it takes too."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from application.codec import Recorded
from application.ingest.limits import EARLIEST, EARLIEST_DAY, LATEST_DAY, MAX_BYTES, MAX_ID
from application.ports.read_model import RowRefusedError
from domain.inventory.commands import ReceiveStock
from domain.order.commands import LineQuantity, OrderedLine, PlaceOrder, ShipOrderLines
from domain.shipment.commands import PlanShipment, ShipmentLine
from tests.integration.star import star
from tests.integration.story import Story, at

CHANCE = Random(7)  # noqa: S311 - reproducible on purpose


def longest() -> str:
    """Return a text as long as they are taken, of characters that can't be compressed."""
    text = "".join(chr(CHANCE.randrange(0x4E00, 0x9FFF)) for _ in range(MAX_ID))
    assert len(text.encode()) == MAX_BYTES
    return text


def an_order(**more: date | str) -> PlaceOrder:
    line = OrderedLine(line_no=1, product_id=longest(), quantity=2, unit_price=Decimal(3))
    values = {"order_id": "o1", "customer_id": "c1", "currency": "EUR", **more}
    return PlaceOrder(occurred_at=at("01-10"), lines=(line,), **values)  # type: ignore[arg-type]


def test_the_calendar_has_every_day_that_is_taken(prepared: str) -> None:
    with star(prepared) as stars:
        assert stars.rows("SELECT min(date), max(date) FROM dim_date") == [(EARLIEST_DAY, LATEST_DAY - timedelta(1))]


def test_the_first_and_the_last_day_are_followed_and_rebuilt(prepared: str) -> None:
    story = Story()
    story.tell(an_order(requested_date=LATEST_DAY - timedelta(1), promised_date=EARLIEST_DAY))
    with star(prepared, story.log) as stars:
        keys = stars.rows("SELECT requested_date_key, promised_date_key FROM fact_order_line")
        assert keys == [(20691231, 19700101)]
        assert stars.differences() == []


def test_the_longest_texts_that_are_taken_fit_into_every_index(prepared: str) -> None:
    names = {name: longest() for name in ("order_id", "customer_id", "carrier_id", "ship_to_city", "ship_to_country")}
    shipment = {name: longest() for name in ("shipment_id", "carrier_id", "origin_location_id", "destination_country")}
    story = Story()
    order = an_order(**names)
    story.tell(
        order,
        ShipOrderLines(
            order_id=order.order_id,
            occurred_at=at("01-11"),
            lines=(LineQuantity(line_no=1, quantity=1),),
            carrier_id=longest(),
            location_id=longest(),
        ),
        PlanShipment(
            occurred_at=at("01-11"),
            order_id=order.order_id,
            lines=(ShipmentLine(line_no=1, product_id=order.lines[0].product_id, quantity=1),),
            **shipment,
        ),
    )
    with star(prepared, story.log) as stars:
        assert stars.rows("SELECT country FROM fact_order_line") == [(names["ship_to_country"],)]
        assert stars.differences() == []


def told_outside_the_calendar() -> list[Recorded]:
    """Return a log of which the last movement lies before the calendar, as older versions took it."""
    story = Story()
    for day in ("01-05", "01-06"):
        story.tell(ReceiveStock(product_id="tea", location_id="bonn", occurred_at=at(day), quantity=5))
    story.tell(ReceiveStock(product_id="nut", location_id="kiel", occurred_at=EARLIEST - timedelta(days=1), quantity=1))
    return story.log


@pytest.mark.parametrize("applied", [0, 1])
def test_an_event_outside_the_calendar_is_named_by_whoever_it_stops(prepared: str, applied: int) -> None:
    log = told_outside_the_calendar()
    of = (
        r"gold.fact_stock_\w+ refuses a row: .*not present in table \"dim_date\".*of inventory-nut.*, from its event at"
    )
    with star(prepared, log[:applied]) as house:
        house.append(log[applied:])
        with pytest.raises(RowRefusedError, match=of):
            house.follow()
        if not applied:  # else it goes as far as the live tables are
            with pytest.raises(RowRefusedError, match=of):
                house.read_model.rebuild(lambda *_: None)
        with pytest.raises(RowRefusedError, match=of):
            house.follow(batch_size=1)
        assert house.read_model.position() == 2, "what comes before it is applied"
