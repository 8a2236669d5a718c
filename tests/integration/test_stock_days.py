"""For any movements: levels, minutes without stock and reorder points of a day are what plain Python makes of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from domain.inventory import commands as stock
from domain.shared.refusal import Refusal
from tests.figures_oracle import Facts
from tests.independent_fold import read_raw
from tests.integration.star import star
from tests.integration.story import Story, at
from tests.soak import SOAK

PLACES = ("hamburg", "lyon")
FIRST = at("02-27T00:00")
MOVEMENTS = 60
SEEDS = range(1, 120 if SOAK else 4)
Make = Callable[..., stock.InventoryCommand]

KINDS: tuple[tuple[Make, dict[str, Any]], ...] = (
    (stock.ReceiveStock, {}),
    (stock.ReserveStock, {"reservation_id": True}),
    (stock.ReleaseReservation, {"reservation_id": True, "reason": "changed"}),
    (stock.PickStock, {"reservation_id": True}),
    (stock.ShipStock, {"reservation_id": True}),
    (stock.ShipStock, {}),
    (stock.QuarantineStock, {"reason": "wet"}),
    (stock.ReleaseStockFromQuarantine, {}),
    (stock.ScrapStock, {"reason": "wet"}),
    (stock.ReturnStock, {}),
)


def movement(chance: Random, when: datetime) -> stock.InventoryCommand:
    """Return some movement of few units, so that a stock runs out and is held again and again, or a reorder point."""
    place = {"product_id": "tea", "location_id": chance.choice(PLACES), "occurred_at": when}
    if chance.random() < 1 / 12:
        return stock.SetReorderPoint(**place, reorder_point=chance.randint(0, 4))
    if chance.random() < 1 / 12:
        return stock.CountStock(**place, counted=chance.randint(0, 3))
    make, more = chance.choice(KINDS)
    named = {name: f"r{chance.randint(1, 3)}" if value is True else value for name, value in more.items()}
    return make(**place, **named, quantity=chance.randint(1, 3))


def told(chance: Random) -> Story:
    """Return a story of some days: movements come late, at the same time, at midnight, or after days of calm."""
    story, when = Story(), FIRST
    taken = 0
    while taken < MOVEMENTS:
        when += timedelta(minutes=chance.choice((0, 1, 7, 95, 400, 400, 3000)))
        if chance.random() < 1 / 8:
            when = when.replace(hour=0, minute=0) + timedelta(days=1)
        late = timedelta(hours=chance.choice((0, 0, 0, 0, chance.randint(1, 60))))
        with suppress(Refusal):
            story.tell(movement(chance, when - late))
            taken += 1
    return story


def reorder_points(story: Story) -> dict[str, list[tuple[datetime, int, int]]]:
    points: dict[str, list[tuple[datetime, int, int]]] = {}
    for each in story.log:
        if each.event.TOPIC == "ReorderPointSet.v1":
            points.setdefault(each.stream_id, []).append(
                (each.event.occurred_at, each.version, each.event.reorder_point)
            )
    return points


@pytest.mark.parametrize("seed", SEEDS)
def test_each_day_of_a_stock_is_what_its_movements_say(prepared: str, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - reproducible on purpose
    story = told(chance)
    points = reorder_points(story)
    with star(prepared, story.log, batch_size=chance.choice((1, 7, 1000))) as house:
        found = {
            (stream_id, day): (on_hand, available, minutes, reorder_point)
            for stream_id, day, on_hand, available, minutes, reorder_point in house.rows(
                "SELECT stream_id, to_date(date_key::text, 'YYYYMMDD'), on_hand, available, minutes_out_of_stock, "
                "reorder_point FROM fact_stock_daily"
            )
        }
        expected = {}
        for row in Facts(read_raw(prepared)).daily:
            stream_id = f"inventory-{row.faces[0]['product']}@{row.faces[0]['location']}"
            end = datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC) + timedelta(days=1)
            known = [point for since, _, point in sorted(points.get(stream_id, ())) if since < end]
            expected[stream_id, row.day] = (row.on_hand, row.available, round(row.out * 1440), [None, *known][-1])
        assert found == expected
        assert house.differences() == []
    days_without = {stream_id for (stream_id, _), (*_, minutes, _) in expected.items() if 0 < minutes < 1440}
    assert days_without, "a story in which no stock ran out within a day asks nothing"
