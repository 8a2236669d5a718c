from __future__ import annotations

import pytest

from domain.inventory.commands import (
    AdjustStock,
    CountStock,
    PickStock,
    QuarantineStock,
    ReleaseStockFromQuarantine,
    ScrapStock,
    ShipStock,
)
from domain.inventory.errors import (
    AdjustmentWithoutChange,
    CountBelowQuarantined,
    InsufficientStock,
    QuarantineExceeded,
    ReasonMissing,
    StockLimitExceeded,
    StockUnknown,
)
from domain.inventory.events import (
    ReservationReleased,
    StockAdjusted,
    StockCounted,
    StockQuarantined,
    StockReleasedFromQuarantine,
    StockScrapped,
)
from domain.inventory.state import Reservation
from domain.shared.measures import MAX_QUANTITY
from domain.shared.refusal import InvalidQuantity
from tests.unit.domain.inventory.warehouse import AT, ITEM, do, nothing, receive, reserve


def quarantine(quantity, reason="check"):
    return do(QuarantineStock, quantity=quantity, reason=reason)


def scrap(quantity, reason="damaged"):
    return do(ScrapStock, quantity=quantity, reason=reason)


def adjust(delta, reason="found"):
    return do(AdjustStock, delta=delta, reason=reason)


def count(counted):
    return do(CountStock, counted=counted)


# On hand 10: 4 reserved by R-1, 1 by R-2, 2 in quarantine, 3 available.
MIXED = nothing.after(receive(10), reserve("R-1", 4), reserve("R-2", 1), quarantine(2))


def counted(on_hand, delta, reserved, quarantined):
    return StockCounted(
        **ITEM,
        counted=on_hand,
        delta=delta,
        on_hand=on_hand,
        reserved=reserved,
        quarantined=quarantined,
    )


def released_by_count(reservation_id, quantity, remaining, reserved):
    return ReservationReleased(
        occurred_at=AT,
        reservation_id=reservation_id,
        quantity=quantity,
        remaining=remaining,
        reason="count shortfall",
        on_hand=10,
        reserved=reserved,
        quarantined=2,
    )


def test_a_count_can_be_the_first_that_is_known_of_a_stock():
    nothing.when(count(7)).then(counted(7, delta=7, reserved=0, quarantined=0))


@pytest.mark.parametrize(("found", "delta"), [(12, 2), (10, 0), (7, -3)])
def test_a_count_sets_what_is_on_hand(found, delta):
    MIXED.when(count(found)).then(counted(found, delta=delta, reserved=5, quarantined=2))


def test_a_count_that_finds_too_few_releases_only_what_is_missing_latest_reservation_first():
    MIXED.when(count(5)).then(
        released_by_count("R-2", 1, remaining=0, reserved=4),
        released_by_count("R-1", 1, remaining=3, reserved=3),
        counted(5, delta=-5, reserved=3, quarantined=2),
    )
    assert MIXED.after(count(5)).state.reservations == {"R-1": Reservation(3, 0)}


def test_a_reservation_keeps_its_place_among_the_others_when_part_of_it_is_used():
    ship = do(ShipStock, quantity=1, reservation_id="R-1")
    assert MIXED.after(ship, count(6)).state.reservations == {
        "R-1": Reservation(3, 0),
        "R-2": Reservation(1, 0),
    }
    assert MIXED.after(ship, count(5)).state.reservations == {"R-1": Reservation(3, 0)}


def test_units_picked_go_back_to_the_shelf_when_a_count_releases_them():
    pick = do(PickStock, quantity=4, reservation_id="R-1")
    assert MIXED.after(pick, count(4)).state.reservations == {"R-1": Reservation(2, 2)}


def test_a_count_down_to_the_quarantine_releases_every_reservation():
    state = MIXED.after(count(2)).state
    assert (state.on_hand, state.reserved, state.quarantined, state.available) == (2, 0, 2, 0)
    assert state.reservations == {}


def test_a_count_below_what_is_in_quarantine_is_refused():
    MIXED.when(count(1)).refused(CountBelowQuarantined, match="counted 1, in quarantine 2")


@pytest.mark.parametrize("found", [-1, MAX_QUANTITY + 1])
def test_a_count_lies_within_the_limits(found):
    nothing.when(count(found)).refused(InvalidQuantity)


@pytest.mark.parametrize("delta", [5, -3])
def test_an_adjustment_changes_what_is_on_hand(delta):
    MIXED.when(adjust(delta)).then(
        StockAdjusted(**ITEM, delta=delta, reason="found", on_hand=10 + delta, reserved=5, quarantined=2)
    )


def test_an_adjustment_upwards_can_be_the_first_that_is_known_of_a_stock():
    nothing.when(adjust(2)).then(StockAdjusted(**ITEM, delta=2, reason="found", on_hand=2, reserved=0, quarantined=0))


def test_an_adjustment_leaves_reserved_and_quarantined_units_alone():
    MIXED.when(adjust(-4)).refused(InsufficientStock, match="asked for 4, available 3")
    nothing.when(adjust(-1)).refused(InsufficientStock)


def test_an_adjustment_of_nothing_is_refused():
    MIXED.when(adjust(0)).refused(AdjustmentWithoutChange)


def test_an_adjustment_beyond_the_limit_is_refused():
    MIXED.after(adjust(MAX_QUANTITY - 10))
    MIXED.when(adjust(MAX_QUANTITY - 9)).refused(StockLimitExceeded)


@pytest.mark.parametrize("command", [adjust, quarantine, scrap])
@pytest.mark.parametrize("reason", ["", " \t"])
def test_a_correction_needs_a_reason(command, reason):
    MIXED.when(command(1, reason)).refused(ReasonMissing)


def test_available_units_can_be_quarantined():
    MIXED.when(quarantine(3)).then(
        StockQuarantined(occurred_at=AT, quantity=3, reason="check", on_hand=10, reserved=5, quarantined=5)
    )


def test_no_more_than_what_is_available_can_be_quarantined():
    MIXED.when(quarantine(4)).refused(InsufficientStock)


def test_quarantined_units_become_available_again():
    MIXED.when(do(ReleaseStockFromQuarantine, quantity=2)).then(
        StockReleasedFromQuarantine(occurred_at=AT, quantity=2, on_hand=10, reserved=5, quarantined=0)
    )


def test_no_more_than_what_is_in_quarantine_can_be_released_from_it():
    MIXED.when(do(ReleaseStockFromQuarantine, quantity=3)).refused(
        QuarantineExceeded, match="asked for 3, in quarantine 2"
    )


@pytest.mark.parametrize(("quantity", "from_quarantine", "quarantined"), [(1, 1, 1), (2, 2, 0), (3, 2, 0), (5, 2, 0)])
def test_quarantined_units_are_scrapped_first_then_available_ones(quantity, from_quarantine, quarantined):
    MIXED.when(scrap(quantity)).then(
        StockScrapped(
            occurred_at=AT,
            quantity=quantity,
            from_quarantine=from_quarantine,
            reason="damaged",
            on_hand=10 - quantity,
            reserved=5,
            quarantined=quarantined,
        )
    )


def test_reserved_units_are_not_scrapped():
    MIXED.when(scrap(6)).refused(InsufficientStock)


@pytest.mark.parametrize("command", [quarantine(0), scrap(0), do(ReleaseStockFromQuarantine, quantity=0)])
def test_a_correction_of_no_units_is_refused(command):
    MIXED.when(command).refused(InvalidQuantity)


@pytest.mark.parametrize("command", [quarantine(1), scrap(1), do(ReleaseStockFromQuarantine, quantity=1)])
def test_a_stock_never_seen_can_neither_be_blocked_nor_scrapped(command):
    nothing.when(command).refused(StockUnknown)
