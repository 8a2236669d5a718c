"""Movements that are reported days or months late change the days of their own stock, and of no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from application.codec import Recorded
from domain.inventory.commands import AdjustStock, ReceiveStock, SetReorderPoint
from tests.integration.star import Star, star
from tests.integration.story import Story, at
from tests.soak import SOAK

PLACES = ("hamburg", "lyon", "oslo")
LAST = at("12-31")
SEEDS = range(1, 40 if SOAK else 4)


def received(place: str, day: str) -> ReceiveStock:
    return ReceiveStock(product_id="tea", location_id=place, quantity=9, occurred_at=at(day))


def started() -> Story:
    """Return a story in which each place has stock since January, and moved last at the end of the year."""
    story = Story()
    for place in PLACES:
        story.tell(received(place, "01-01"), received(place, "12-31"))
    return story


def late(chance: Random, events: int) -> Iterator[AdjustStock | SetReorderPoint]:
    """Yield changes of random stocks, most of them dated back by days, weeks or months."""
    for _ in range(events):
        stock = {"product_id": "tea", "location_id": chance.choice(PLACES)}
        day = LAST - timedelta(days=chance.choice((0, 0, 1, 3, 8, 20, 60, 150, 400)), minutes=chance.randint(0, 900))
        if chance.random() < 1 / 4:
            yield SetReorderPoint(**stock, reorder_point=chance.randint(1, 9), reorder_quantity=5, occurred_at=day)
        else:
            yield AdjustStock(**stock, delta=chance.randint(1, 9), reason="late", occurred_at=day)


def followed(house: Star, log: list[Recorded], size: int) -> None:
    house.append(log)
    house.follow(size)


def days_touched(house: Star, place: str) -> int:
    """Return how many days of a place's stock a transaction has written or locked since they were inserted."""
    house.execute("SET search_path = gold")
    query = "SELECT count(*) FROM fact_stock_daily WHERE location_id = '{}' AND (xmax <> 0 OR xmin <> (SELECT xmin FROM"
    query += " fact_stock_daily WHERE location_id = '{}' ORDER BY date_key LIMIT 1))"
    return int(house.rows(query.format(place, place))[0][0])


def test_one_that_is_dated_back_leaves_the_days_of_other_stocks_alone(prepared: str) -> None:
    story = started()
    with star(prepared, story.log) as house:
        told = len(story.log)
        story.tell(
            AdjustStock(product_id="tea", location_id="lyon", delta=1, reason="late", occurred_at=at("03-01")),
            AdjustStock(product_id="tea", location_id="oslo", delta=1, reason="found", occurred_at=at("12-31")),
        )
        followed(house, story.log[told:], 100)
        assert [days_touched(house, place) for place in PLACES] == [0, 306, 1]
        assert house.differences() == []


def test_a_reorder_point_that_alone_is_dated_back_is_that_of_its_days(prepared: str) -> None:
    story = started()
    with star(prepared, story.log) as house:
        told = len(story.log)
        story.tell(SetReorderPoint(product_id="tea", location_id="lyon", reorder_point=3, occurred_at=at("03-01")))
        followed(house, story.log[told:], 1)
        days = "SELECT location_id, min(date_key), max(date_key), count(*) FROM fact_stock_daily "
        assert house.rows(days + "WHERE reorder_point = 3 GROUP BY 1") == [("lyon", 20240301, 20241231, 306)]
        assert house.differences() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_however_late_they_come_and_in_whatever_batches_the_star_equals_the_one_built(prepared: str, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - reproducible on purpose
    story = started()
    with star(prepared, story.log) as house:
        told = len(story.log)
        story.tell(*late(chance, 40))
        followed(house, story.log[told:], chance.choice((1, 4, 15)))
        assert house.differences() == []
