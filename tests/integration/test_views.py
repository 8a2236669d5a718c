"""What the pages show, from a real star: figures that the definitions of the views themselves compute."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from application.queries.kpis import KPIS
from application.queries.policies import DEFAULT, under
from application.queries.views.choice import Choice
from application.queries.views.explaining import OVERDUE_ORDERS, explained
from application.queries.views.inventory import inventory
from application.queries.views.orders import orders
from application.queries.views.overview import overview
from domain.catalog.commands import RegisterProduct
from domain.inventory.commands import ReceiveStock, ShipStock
from domain.order.commands import DeliverOrderLines, LineQuantity, OrderedLine, PlaceOrder, ShipOrderLines
from tests.integration.star import star
from tests.integration.story import Story, at, on


def test_an_order_delivered_on_the_day_it_was_placed_took_no_day_though_only_one_has_a_time_of_day(
    prepared: str,
) -> None:
    story, units = Story(), (LineQuantity(line_no=1, quantity=1),)
    line = OrderedLine(line_no=1, product_id="tea", quantity=1, unit_price=Decimal(10))
    story.tell(
        PlaceOrder(order_id="o1", occurred_at=at("01-10"), customer_id="c1", currency="EUR", lines=(line,)),
        ShipOrderLines(order_id="o1", occurred_at=at("01-10T00:00"), lines=units),
        DeliverOrderLines(order_id="o1", occurred_at=at("01-10T00:00"), lines=units),
    )
    with star(prepared, story.log) as house:
        cycle = orders(house.analytics, Choice(at("02-01"))).cycle
    assert [(bar.label, bar.value) for bar in cycle.bars] == [("0", 1.0)]


def test_a_stock_younger_than_four_weeks_lasts_as_long_as_what_left_a_day_since_says(prepared: str) -> None:
    story = Story()
    for product, since in (("new", "01-30"), ("old", "01-01")):
        stock = {"product_id": product, "location_id": "hamburg"}
        story.tell(ReceiveStock(**stock, occurred_at=at(since), quantity=56))
        story.tell(ShipStock(**stock, occurred_at=at("01-31"), quantity=28))
    with star(prepared, story.log) as house:
        shown = inventory(house.analytics, Choice(at("02-01"))).stocks
    # Of the new one, 28 units left in two days, of the old one in the last 28 days.
    assert {row[0]: row[6] for row in shown.rows} == {"new": 2, "old": 28}


def test_an_order_for_which_no_day_was_promised_is_overdue_after_the_day_that_was_asked_for(prepared: str) -> None:
    story, line = Story(), OrderedLine(line_no=1, product_id="tea", quantity=1, unit_price=Decimal(10))
    for order_id, asked, promised in (
        ("asked", on("01-10"), None),
        ("promised", on("01-10"), on("01-20")),
        ("neither", None, None),
    ):
        placed = {"order_id": order_id, "requested_date": asked, "promised_date": promised}
        story.tell(PlaceOrder(**placed, occurred_at=at("01-02"), customer_id="c1", currency="EUR", lines=(line,)))
    with star(prepared, story.log) as house:
        shown = {
            day: explained(house.analytics, OVERDUE_ORDERS, Choice(at(day))) for day in ("01-10", "01-11", "01-21")
        }
    assert {day: figure.figure for day, figure in shown.items()} == {"01-10": 0, "01-11": 1, "01-21": 2}
    assert [row.row.stream_id for row in shown["01-11"].rows] == ["order-asked"]


def test_a_figure_over_no_rows_is_what_its_definition_says(prepared: str) -> None:
    with star(prepared) as house:
        ((_, figures),) = house.analytics.measure([under(kpi, DEFAULT) for kpi in KPIS.values()])
    assert figures == {kpi.name: kpi.of_nothing for kpi in KPIS.values()}


@pytest.mark.parametrize(
    ("category", "title"), [("Tea", "Net sales EUR"), ("Nuts", "Net sales USD"), ("Gifts", "Net sales")]
)
def test_net_sales_name_the_currencies_of_the_lines_that_they_add_up(prepared: str, category: str, title: str) -> None:
    story = Story()
    for number, (product, kind, price, currency) in enumerate(
        [("assam", "Tea", 10, "EUR"), ("cashew", "Nuts", 5, "USD"), ("bag", "Gifts", 0, "GBP")]
    ):
        line = OrderedLine(line_no=1, product_id=product, quantity=1, unit_price=Decimal(price))
        story.tell(
            RegisterProduct(product_id=product, occurred_at=at("01-01"), name=product, category=kind),
            PlaceOrder(
                order_id=f"o{number}", occurred_at=at("01-10"), customer_id="c1", currency=currency, lines=(line,)
            ),
        )
    inbox = cast(Any, SimpleNamespace(waiting=dict))
    with star(prepared, story.log) as house:
        everything = overview(house.analytics, inbox, Choice(at("02-01")))
        some = overview(house.analytics, inbox, Choice(at("02-01"), members={"category": (category,)}))
    assert [tile.title for tile in everything.flows if tile.name == "net"] == ["Net sales EUR + USD"]
    assert [tile.title for tile in some.flows if tile.name == "net"] == [title]
