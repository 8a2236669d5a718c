from __future__ import annotations

import pytest

from domain.inventory.commands import (
    AdjustStock,
    CountStock,
    QuarantineStock,
    ReleaseReservation,
    ScrapStock,
    SetReorderPoint,
    ShipStock,
    TransferStockOut,
)
from domain.inventory.events import ReorderPointReached, ReorderPointSet, StockCounted
from domain.shared.refusal import InvalidQuantity
from tests.unit.domain.inventory.warehouse import AT, ITEM, do, nothing, receive, reserve

SET_TO_FOUR = do(SetReorderPoint, reorder_point=4, reorder_quantity=20)
TEN = nothing.after(receive(10), SET_TO_FOUR)

TAKE_FROM_AVAILABLE = {
    "reserved": lambda quantity: reserve("R-1", quantity),
    "shipped": lambda quantity: do(ShipStock, quantity=quantity),
    "transferred": lambda quantity: do(TransferStockOut, transfer_id="T-1", quantity=quantity, to_location_id="L-2"),
    "counted": lambda quantity: do(CountStock, counted=10 - quantity),
    "adjusted": lambda quantity: do(AdjustStock, delta=-quantity, reason="lost"),
    "quarantined": lambda quantity: do(QuarantineStock, quantity=quantity, reason="check"),
    "scrapped": lambda quantity: do(ScrapStock, quantity=quantity, reason="broken"),
}
takes = pytest.mark.parametrize("take", TAKE_FROM_AVAILABLE.values(), ids=TAKE_FROM_AVAILABLE.keys())


def reached(available, point=4, quantity=20):
    return ReorderPointReached(occurred_at=AT, available=available, reorder_point=point, reorder_quantity=quantity)


def test_a_reorder_point_can_be_the_first_that_is_known_of_a_stock():
    nothing.when(SET_TO_FOUR).then(ReorderPointSet(**ITEM, reorder_point=4, reorder_quantity=20))


@pytest.mark.parametrize(("point", "quantity"), [(-1, 0), (0, -1)])
def test_a_reorder_point_is_not_negative(point, quantity):
    nothing.when(do(SetReorderPoint, reorder_point=point, reorder_quantity=quantity)).refused(InvalidQuantity)


@takes
@pytest.mark.parametrize("quantity", [6, 10])
def test_a_fall_to_the_reorder_point_or_below_is_said_last(take, quantity):
    events = TEN.when(take(quantity)).events()
    assert len(events) == 2
    assert events[-1] == reached(10 - quantity)


@takes
def test_a_fall_that_stays_above_the_reorder_point_is_not_said(take):
    assert len(TEN.when(take(5)).events()) == 1


@takes
def test_a_fall_is_not_said_where_no_reorder_point_is_set(take):
    assert len(nothing.after(receive(10)).when(take(10)).events()) == 1


def test_a_further_fall_below_the_reorder_point_is_not_said_again():
    low = TEN.after(do(ShipStock, quantity=6))
    assert len(low.when(do(ShipStock, quantity=1)).events()) == 1


def test_a_fall_is_said_again_once_the_stock_had_risen_above_the_reorder_point():
    filled_up = TEN.after(do(ShipStock, quantity=6), receive(1))
    assert filled_up.when(do(ShipStock, quantity=1)).events()[-1] == reached(4)


def test_a_reorder_point_set_above_what_is_available_is_no_fall():
    point = do(SetReorderPoint, reorder_point=50)
    TEN.when(point).then(ReorderPointSet(**ITEM, reorder_point=50, reorder_quantity=0))
    assert len(TEN.after(point).when(do(ShipStock, quantity=1)).events()) == 1


def test_the_reorder_point_set_last_counts():
    revised = TEN.after(do(SetReorderPoint, reorder_point=8, reorder_quantity=5))
    assert revised.when(do(ShipStock, quantity=2)).events()[-1] == reached(8, point=8, quantity=5)


def test_reserved_units_that_ship_do_not_lower_what_is_available():
    reserved = TEN.after(reserve("R-1", 5))
    assert len(reserved.when(do(ShipStock, quantity=5, reservation_id="R-1")).events()) == 1


def test_a_count_that_releases_reservations_compares_what_was_available_before_and_after():
    reserved = TEN.after(reserve("R-1", 5))
    released, counted, last = reserved.when(do(CountStock, counted=3)).events()
    assert (released.quantity, released.remaining) == (2, 3)
    assert isinstance(counted, StockCounted)
    assert last == reached(0)


def test_a_rejected_reservation_is_no_fall():
    assert len(TEN.when(reserve("R-1", 11)).events()) == 1


def test_released_units_can_be_taken_again():
    again = TEN.after(reserve("R-1", 6), do(ReleaseReservation, reservation_id="R-1", reason="order cancelled"))
    assert again.when(reserve("R-2", 6)).events()[-1] == reached(4)
