"""A version holds from its own moment on, and no longer at that of the next: facts of just then are of the new one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from application.codec import Recorded
from domain.catalog import commands as catalog
from domain.order import commands as order
from tests.integration.star import Star, star
from tests.integration.story import Story, at, tell_everything

MEMBERS: dict[str, tuple[type, type, tuple[str, ...]]] = {
    "product": (catalog.RegisterProduct, catalog.ReviseProduct, ("tea", "nut")),
    "supplier": (catalog.RegisterSupplier, catalog.ReviseSupplier, ("acme",)),
    "customer": (catalog.RegisterCustomer, catalog.ReviseCustomer, ("c1", "c2")),
    "carrier": (catalog.RegisterCarrier, catalog.ReviseCarrier, ("ups", "dhl")),
    "location": (catalog.RegisterLocation, catalog.ReviseLocation, ("hamburg",)),
}
FACTS = (
    ("fact_order", "customer_key", "customer", "f.placed_at"),
    ("fact_order", "carrier_key", "carrier", "f.placed_at"),
    ("fact_order_line", "product_key", "product", "f.placed_at"),
    ("fact_order_line", "supplier_key", "supplier", "f.placed_at"),
    ("fact_order_line", "customer_key", "customer", "f.placed_at"),
    ("fact_order_line", "carrier_key", "carrier", "f.placed_at"),
    ("fact_order_line", "shipping_carrier_key", "carrier", "f.first_shipped_at"),
    ("fact_order_line", "location_key", "location", "f.placed_at"),
    ("fact_order_line_event", "carrier_key", "carrier", "f.occurred_at"),
    ("fact_order_line_event", "location_key", "location", "f.occurred_at"),
    ("fact_shipment", "carrier_key", "carrier", "f.planned_at"),
    ("fact_shipment", "location_key", "location", "f.planned_at"),
    ("fact_stock_movement", "product_key", "product", "f.moved_at"),
    ("fact_stock_movement", "location_key", "location", "f.moved_at"),
    ("fact_stock_movement", "supplier_key", "supplier", "f.moved_at"),
)
"""Facts, with the moment of which the version is that they point to."""


TABLES = {fact for fact, *_ in FACTS} - {"fact_order_line_event"} | {"fact_stock_daily"}


def told(chance: Random | None = None) -> list[Recorded]:
    """Return what happened, after a catalog in which each member is revised whenever anything happens.

    With a chance, in any order: most revisions are dated back.
    """
    happened = [each for each in tell_everything() if not each.stream_id.startswith(tuple(f"{m}-" for m in MEMBERS))]
    midnights = {at(f"01-{day:02}T00:00") for day in range(5, 12)}
    moments = sorted({each.event.occurred_at for each in happened} | {at("01-02")} | midnights)
    if chance:
        chance.shuffle(moments)
    story = Story()
    more: dict[str, Any]
    for kind, (register, revise, members) in MEMBERS.items():
        for member in members:
            for number, moment in enumerate([datetime(2023, 1, 1, tzinfo=UTC), *moments]):
                make = revise if number else register
                more = {"lead_time_days": number} if kind == "supplier" else {}
                more |= {"supplier_id": "acme"} if kind == "product" else {}
                story.tell(make(**{f"{kind}_id": member}, occurred_at=moment, name=f"{member} {number}", **more))
    line = order.OrderedLine(line_no=1, product_id="tea", quantity=1, unit_price=Decimal(1))
    own = {"customer_id": "c1", "currency": "EUR", "carrier_id": "ups", "lines": (line,)}
    set_aside = {"lines": (order.LineQuantity(line_no=1, quantity=1),), "location_id": "hamburg"}
    story.tell(
        order.PlaceOrder(order_id="o9", occurred_at=at("02-10"), **own),
        order.AllocateOrderLines(order_id="o9", occurred_at=at("02-11"), **set_aside),
    )
    return [*story.log, *happened]


def test_a_fact_points_to_the_version_that_begins_with_it(prepared: str) -> None:
    with star(prepared, told()) as house:
        for fact, key, dimension, moment in FACTS:
            rows = house.rows(
                f"SELECT {moment}, d.valid_from FROM {fact} f JOIN dim_{dimension} d ON d.{dimension}_key = f.{key}"
                f" WHERE f.{key} <> 0 ORDER BY 1"
            )
            assert rows, (fact, key)
            assert [begins for _, begins in rows] == [when for when, _ in rows], (fact, key)
        for fact, moment in (("fact_order", "placed_at"), ("fact_shipment", "planned_at")):
            rows = house.rows(
                f"SELECT f.{moment}, d.valid_from FROM {fact} f CROSS JOIN unnest(f.product_keys) AS product_key"
                " JOIN dim_product d USING (product_key)"
            )
            assert rows, fact
            assert {begins == when for when, begins in rows} == {True}, fact
        assert house.differences() == []


def test_a_day_of_a_stock_has_the_versions_of_its_end(prepared: str) -> None:
    with star(prepared, told()) as house:
        for dimension in ("product", "location"):
            rows = house.rows(
                "SELECT (to_date(f.date_key::text, 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'UTC', d.valid_from, "
                f"(SELECT max(v.valid_from) FROM dim_{dimension} v WHERE v.{dimension}_id = f.{dimension}_id AND "
                "v.valid_from < (to_date(f.date_key::text, 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'UTC') "
                f"FROM fact_stock_daily f JOIN dim_{dimension} d ON d.{dimension}_key = f.{dimension}_key"
            )
            assert {begins == latest < end for end, begins, latest in rows} == {True}


def test_what_was_agreed_with_a_supplier_is_that_of_the_time_of_ordering(prepared: str) -> None:
    with star(prepared, told()) as house:
        rows = house.rows(
            "SELECT f.agreed_lead_days, d.lead_time_days FROM fact_stock_movement f JOIN dim_supplier d "
            "ON d.supplier_id = f.supplier_id AND d.valid_from = f.ordered_at"
        )
    assert rows
    assert all(agreed == then for agreed, then in rows)


@pytest.mark.parametrize("kind", MEMBERS)
def test_a_version_that_becomes_known_after_the_facts_reaches_those_of_its_time(prepared: str, kind: str) -> None:
    chance = Random(kind)  # noqa: S311 - reproducible on purpose
    log = told(chance)
    late = [each for each in log if each.stream_id.startswith(f"{kind}-")]
    with star(prepared, [each for each in log if each not in late]) as house:
        together = 4  # the registration, and versions after it
        while late:
            batch, late = late[:together], late[together:]
            house.append(batch)
            house.follow()
            assert stale(house) == [], batch
            together = chance.choice((1, 2, 4))


def stale(house: Star) -> list[str]:
    """Return the facts of which a row is not what its definition gives now."""
    both = "(SELECT * FROM {0} EXCEPT SELECT * FROM silver.{0}_source) UNION ALL "
    both += "(SELECT * FROM silver.{0}_source EXCEPT SELECT * FROM {0})"
    return [table for table in sorted(TABLES) if house.rows(f"SELECT FROM ({both.format(table)}) AS differ LIMIT 1")]
