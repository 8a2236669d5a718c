"""A member that one fact alone speaks of, before the catalog does, is in its dimension as soon as the fact is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.catalog import commands as catalog
from domain.inventory import commands as stock
from domain.order import commands as order
from domain.shipment import commands as shipment
from tests.integration.star import star
from tests.integration.story import Story, at


def _lines(quantity: int) -> dict[str, Any]:
    return {"order_id": "o1", "lines": (order.LineQuantity(line_no=1, quantity=quantity),)}


SPEAKING: tuple[tuple[Any, dict[str, set[str]]], ...] = (
    (
        order.PlaceOrder(
            order_id="o1",
            occurred_at=at("01-10"),
            customer_id="ordering",
            currency="EUR",
            carrier_id="asked for",
            lines=(order.OrderedLine(line_no=1, product_id="ordered", quantity=9, unit_price=Decimal(1)),),
        ),
        {"customer": {"ordering"}, "carrier": {"asked for"}, "product": {"ordered"}},
    ),
    (
        order.AllocateOrderLines(**_lines(6), occurred_at=at("01-11"), location_id="allocated"),
        {"location": {"allocated"}},
    ),
    (
        order.AllocateOrderLines(**_lines(3), occurred_at=at("01-11"), location_id="allocated next"),
        {"location": {"allocated next"}},
    ),
    (order.ShipOrderLines(**_lines(2), occurred_at=at("01-12"), carrier_id="took"), {"carrier": {"took"}}),
    (order.ShipOrderLines(**_lines(2), occurred_at=at("01-13"), carrier_id="took next"), {"carrier": {"took next"}}),
    (
        shipment.PlanShipment(
            shipment_id="s1",
            order_id="o2",
            occurred_at=at("01-11"),
            lines=(shipment.ShipmentLine(line_no=1, product_id="carried", quantity=2),),
            carrier_id="planned",
            origin_location_id="origin",
        ),
        {"carrier": {"planned"}, "location": {"origin"}, "product": {"carried"}},
    ),
    (
        stock.ReceiveStock(
            product_id="stocked", location_id="stored", occurred_at=at("01-05"), quantity=4, supplier_id="brought"
        ),
        {"product": {"stocked"}, "location": {"stored"}, "supplier": {"brought"}},
    ),
    (
        stock.ReceiveStock(
            product_id="stocked", location_id="stored", occurred_at=at("01-06"), quantity=4, supplier_id="brought next"
        ),
        {"supplier": {"brought next"}},
    ),
    (
        catalog.RegisterProduct(product_id="listed", occurred_at=at("01-01"), name="Listed", supplier_id="supplies"),
        {"supplier": {"supplies"}},
    ),
)
"""Commands, each of one event, and the members that nothing spoke of before."""
KINDS = ("product", "supplier", "customer", "carrier", "location")


@pytest.mark.parametrize("together", [1, 2, len(SPEAKING)])
def test_a_member_is_there_as_soon_as_a_fact_speaks_of_it(prepared: str, together: int) -> None:
    story = Story()
    known: dict[str, set[str]] = {kind: set() for kind in KINDS}
    with star(prepared) as house:
        for start in range(0, len(SPEAKING), together):
            story.tell(*(command for command, _ in SPEAKING[start : start + together]))
            house.append(story.log[start:])
            house.follow()
            for kind in KINDS:
                known[kind] |= {each for _, of in SPEAKING[start : start + together] for each in of.get(kind, ())}
                found = house.rows(f"SELECT {kind}_id FROM dim_{kind} WHERE inferred")
                assert {member for (member,) in found} == known[kind]
        assert house.differences() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_that_the_catalog_says_nothing_of_has_held_for_ever_and_has_no_events(
    prepared: str, kind: str
) -> None:
    story = Story()
    story.tell(*(command for command, _ in SPEAKING))
    said = "version, retired, valid_from, valid_to, is_current, first_position, last_position"
    nothing = (0, False, datetime(1900, 1, 1, tzinfo=UTC), None, True, 0, 0)
    with star(prepared, story.log) as house:
        unknown = f"SELECT {kind}_id, name, inferred, {said} FROM dim_{kind} WHERE {kind}_key = 0"
        assert house.rows(unknown) == [("", "unknown", False, *nothing)]
        assert {row[1:] for row in house.rows(f"SELECT {kind}_id, {said} FROM dim_{kind} WHERE inferred")} == {nothing}
        assert house.rows(f"SELECT FROM dim_{kind} WHERE inferred AND name <> {kind}_id") == []
