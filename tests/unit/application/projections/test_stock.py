from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from application.projections.stock import SUBJECT
from domain.inventory import events
from tests.unit.application.projections.stream import rows_of, utc

DAY = {n: utc(f"2024-03-{n:02}") for n in range(1, 20)}
AT = {"product_id": "p1", "location_id": "hamburg"}
REST: dict[str, Any] = {"reserved": 0, "quarantined": 0}


def received(day: int, quantity: int, on_hand: int) -> events.StockReceived:
    return events.StockReceived(
        **AT,
        occurred_at=DAY[day],
        quantity=quantity,
        supplier_id="acme",
        unit_cost=Decimal("3.20"),
        ordered_at=None,
        on_hand=on_hand,
        **REST,
    )


def reserved(day: int, quantity: int, on_hand: int, total: int) -> events.StockReserved:
    return events.StockReserved(
        occurred_at=DAY[day],
        reservation_id="o1/1",
        quantity=quantity,
        remaining=quantity,
        on_hand=on_hand,
        reserved=total,
        quarantined=0,
    )


SHIPPED = events.StockShipped(
    occurred_at=DAY[4],
    quantity=6,
    reservation_id="o1/1",
    remaining=0,
    shipment_id="s1",
    on_hand=14,
    **REST,
)


def fold(*stream: Any) -> tuple[Any, list[Any]]:
    rows = rows_of(SUBJECT, "inventory-p1@hamburg", *stream)
    (stock,) = rows["stock"]
    return stock, rows["stock_movements"]


def test_levels_are_those_of_the_last_event() -> None:
    stock, _ = fold(received(1, 20, 20), reserved(2, 6, 20, 6), SHIPPED)
    assert (stock.product_id, stock.location_id) == ("p1", "hamburg")
    assert (stock.on_hand, stock.reserved, stock.quarantined) == (14, 0, 0)
    assert (stock.first_position, stock.last_position, stock.last_moved_on) == (101, 103, date(2024, 3, 4))


def test_each_change_of_a_level_is_one_movement_with_its_deltas() -> None:
    _, movements = fold(received(1, 20, 20), reserved(2, 6, 20, 6), SHIPPED)
    assert [(m.version, m.kind, m.delta_on_hand, m.delta_reserved, m.on_hand) for m in movements] == [
        (1, "received", 20, 0, 20),
        (2, "reserved", 0, 6, 20),
        (3, "shipped", -6, -6, 14),
    ]
    assert [(m.first_position, m.last_position) for m in movements] == [(101, 101), (102, 102), (103, 103)]
    assert (movements[0].supplier_id, movements[0].unit_cost) == ("acme", Decimal("3.20"))
    assert (movements[2].shipment_id, movements[2].reservation_id) == ("s1", "o1/1")


def test_a_movement_keeps_its_reason() -> None:
    blocked = events.StockQuarantined(
        occurred_at=DAY[2], quantity=5, reason="mould", on_hand=20, reserved=0, quarantined=5
    )
    scrapped = events.StockScrapped(
        occurred_at=DAY[3], quantity=5, from_quarantine=5, reason="rotten", on_hand=15, **REST
    )
    _, movements = fold(received(1, 20, 20), blocked, scrapped)
    assert [(m.reason, m.delta_on_hand, m.delta_quarantined) for m in movements[1:]] == [
        ("mould", 0, 5),
        ("rotten", -5, -5),
    ]


def test_a_movement_counts_on_its_business_day_in_utc() -> None:
    late_evening = datetime(2024, 2, 28, 22, tzinfo=timezone(-timedelta(hours=5)))
    back_dated = events.StockAdjusted(**AT, occurred_at=late_evening, delta=-2, reason="theft", on_hand=18, **REST)
    stock, movements = fold(received(1, 20, 20), back_dated)
    assert (movements[1].moved_on, movements[1].moved_at) == (date(2024, 2, 29), late_evening)
    assert stock.last_moved_on == date(2024, 3, 1)


def test_a_count_is_kept_even_where_it_finds_no_difference() -> None:
    counted = events.StockCounted(**AT, occurred_at=DAY[2], counted=20, delta=0, on_hand=20, **REST)
    stock, movements = fold(received(1, 20, 20), counted)
    assert (movements[1].kind, movements[1].delta_on_hand) == ("counted", 0)
    assert stock.last_counted_at == DAY[2]


@pytest.mark.parametrize(
    "event",
    [
        events.ReorderPointSet(**AT, occurred_at=DAY[2], reorder_point=8, reorder_quantity=40),
        events.ReservationRejected(**AT, occurred_at=DAY[2], reservation_id="o2/1", quantity=50, available=20),
        events.StockPicked(occurred_at=DAY[2], reservation_id="o1/1", quantity=2, picked=2),
    ],
)
def test_what_changes_no_level_is_no_movement(event: Any) -> None:
    stock, movements = fold(received(1, 20, 20), event)
    assert (len(movements), stock.on_hand, stock.last_position) == (1, 20, 102)


def test_the_reorder_point_and_when_it_was_reached_are_kept() -> None:
    stock, movements = fold(
        events.ReorderPointSet(**AT, occurred_at=DAY[1], reorder_point=8, reorder_quantity=40),
        events.ReorderPointReached(occurred_at=DAY[2], available=7, reorder_point=8, reorder_quantity=40),
    )
    assert (stock.reorder_point, stock.reorder_quantity, stock.reorder_reached_at) == (8, 40, DAY[2])
    assert movements == []


def test_the_reorder_point_that_holds_is_the_latest_in_business_time_and_each_is_kept() -> None:
    points = [
        events.ReorderPointSet(**AT, occurred_at=DAY[day], reorder_point=point, reorder_quantity=40)
        for day, point in ((3, 8), (2, 5), (3, 9))
    ]
    rows = rows_of(SUBJECT, "inventory-p1@hamburg", *points)
    (stock,) = rows["stock"]
    assert (stock.reorder_point, stock.reorder_set_at) == (9, DAY[3])
    assert [(each.set_at, each.version, each.reorder_point) for each in rows["reorder_points"]] == [
        (DAY[3], 1, 8),
        (DAY[2], 2, 5),
        (DAY[3], 3, 9),
    ]


def test_rejected_reservations_are_counted_once_each() -> None:
    rejected = events.ReservationRejected(**AT, occurred_at=DAY[1], reservation_id="o1/1", quantity=5, available=0)
    stock, _ = fold(rejected, rejected)
    assert (stock.rejected_reservations, stock.on_hand) == (2, 0)
