from __future__ import annotations

import pytest

from domain.inventory.commands import PickStock, ReleaseReservation, ShipStock
from domain.inventory.errors import (
    ReasonMissing,
    ReservationAlreadyUsed,
    ReservationConsumed,
    ReservationExceeded,
    ReservationUnknown,
    StockUnknown,
)
from domain.inventory.events import (
    ReservationRejected,
    ReservationReleased,
    StockPicked,
    StockReserved,
    StockShipped,
)
from domain.inventory.state import Reservation
from domain.shared.refusal import InvalidQuantity
from tests.unit.domain.inventory.warehouse import AT, ITEM, do, nothing, receive, reserve

TEN = nothing.after(receive(10))
SIX_RESERVED = TEN.after(reserve("R-1", 6))


def pick(quantity, reservation_id="R-1"):
    return do(PickStock, reservation_id=reservation_id, quantity=quantity)


def ship(quantity, reservation_id="R-1"):
    return do(ShipStock, reservation_id=reservation_id, quantity=quantity, shipment_id="SH-1")


def release(quantity=None, reservation_id="R-1", reason="order changed"):
    return do(ReleaseReservation, reservation_id=reservation_id, quantity=quantity, reason=reason)


def released(quantity, remaining, reserved):
    return ReservationReleased(
        occurred_at=AT,
        reservation_id="R-1",
        quantity=quantity,
        remaining=remaining,
        reason="order changed",
        on_hand=10,
        reserved=reserved,
        quarantined=0,
    )


def shipped(quantity, remaining, on_hand, reserved):
    return StockShipped(
        occurred_at=AT,
        quantity=quantity,
        reservation_id="R-1",
        remaining=remaining,
        shipment_id="SH-1",
        on_hand=on_hand,
        reserved=reserved,
        quarantined=0,
    )


def test_available_units_can_be_reserved_to_the_last():
    SIX_RESERVED.when(reserve("R-2", 4)).then(
        StockReserved(
            occurred_at=AT,
            reservation_id="R-2",
            quantity=4,
            remaining=4,
            on_hand=10,
            reserved=10,
            quarantined=0,
        )
    )


def test_a_reservation_of_more_than_is_available_is_recorded_as_rejected_and_sets_nothing_aside():
    SIX_RESERVED.when(reserve("R-2", 5)).then(
        ReservationRejected(**ITEM, reservation_id="R-2", quantity=5, available=4)
    )
    assert SIX_RESERVED.after(reserve("R-2", 5)).state == SIX_RESERVED.state


def test_a_reservation_of_a_stock_never_seen_is_rejected_with_nothing_available():
    nothing.when(reserve("R-1", 1)).then(ReservationRejected(**ITEM, reservation_id="R-1", quantity=1, available=0))
    nothing.after(reserve("R-1", 1)).when(release()).refused(ReservationUnknown)


def test_a_rejected_reservation_can_be_tried_again():
    again = nothing.after(reserve("R-1", 3), receive(3), reserve("R-1", 3))
    assert again.state.reservations == {"R-1": Reservation(remaining=3, picked=0)}


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_reservation_of_nothing_is_refused(quantity):
    TEN.when(reserve("R-1", quantity)).refused(InvalidQuantity)


@pytest.mark.parametrize("history", [(), (ship(6),), (release(),)], ids=["live", "shipped", "released"])
@pytest.mark.parametrize("quantity", [1, 1000])
def test_a_reservation_id_is_used_once(history, quantity):
    SIX_RESERVED.after(*history).when(reserve("R-1", quantity)).refused(ReservationAlreadyUsed, match="R-1")


def test_a_release_without_a_quantity_gives_back_all_that_remain():
    SIX_RESERVED.after(release(2)).when(release()).then(released(4, remaining=0, reserved=0))


def test_a_partial_release_keeps_the_remainder():
    SIX_RESERVED.when(release(2)).then(released(2, remaining=4, reserved=4))


def test_a_release_needs_a_reason():
    SIX_RESERVED.when(release(reason=" ")).refused(ReasonMissing)


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_release_of_nothing_is_refused(quantity):
    SIX_RESERVED.when(release(quantity)).refused(InvalidQuantity)


@pytest.mark.parametrize("command", [pick, ship, release])
def test_no_more_than_a_reservation_holds_can_be_used_of_it(command):
    SIX_RESERVED.after(command(6))
    SIX_RESERVED.when(command(7)).refused(ReservationExceeded, match="asked for 7, held 6")


@pytest.mark.parametrize("command", [pick, ship, release])
def test_a_reservation_never_made_is_unknown(command):
    TEN.when(command(1)).refused(ReservationUnknown, match="R-1")


@pytest.mark.parametrize("command", [pick, ship, release])
@pytest.mark.parametrize("end", [ship(6), release()], ids=["shipped", "released"])
def test_a_reservation_is_consumed_at_most_once(command, end):
    SIX_RESERVED.after(end).when(command(1)).refused(ReservationConsumed, match="R-1")


@pytest.mark.parametrize("command", [pick(1), ship(1), release()])
def test_a_stock_never_seen_holds_no_reservation(command):
    nothing.when(command).refused(StockUnknown)


def test_picks_add_up_and_stay_on_hand():
    SIX_RESERVED.after(pick(2)).when(pick(3)).then(
        StockPicked(occurred_at=AT, reservation_id="R-1", quantity=3, picked=5)
    )
    state = SIX_RESERVED.after(pick(5)).state
    assert (state.on_hand, state.reserved) == (10, 6)


def test_a_unit_is_picked_only_once():
    SIX_RESERVED.after(pick(4)).when(pick(3)).refused(ReservationExceeded, match="asked for 3, held 2")


@pytest.mark.parametrize("command", [pick(0), ship(0), ship(-1)])
def test_nothing_can_neither_be_picked_nor_shipped(command):
    SIX_RESERVED.when(command).refused(InvalidQuantity)


def test_a_partial_shipment_keeps_the_remainder_of_its_reservation():
    SIX_RESERVED.when(ship(4)).then(shipped(4, remaining=2, on_hand=6, reserved=2))
    SIX_RESERVED.after(ship(4)).when(ship(2)).then(shipped(2, remaining=0, on_hand=4, reserved=0))


def test_picked_units_ship_first():
    after = SIX_RESERVED.after(pick(4), ship(3))
    assert after.state.reservations == {"R-1": Reservation(remaining=3, picked=1)}
    after.after(ship(2)).when(pick(1)).then(StockPicked(occurred_at=AT, reservation_id="R-1", quantity=1, picked=1))


def test_units_ship_without_having_been_picked():
    assert SIX_RESERVED.after(pick(1), ship(3)).state.reservations == {"R-1": Reservation(3, 0)}


def test_picked_units_go_back_to_the_shelf_when_nothing_else_is_left_to_release():
    picked_four = SIX_RESERVED.after(pick(4))
    assert picked_four.after(release(2)).state.reservations == {"R-1": Reservation(4, 4)}
    assert picked_four.after(release(5)).state.reservations == {"R-1": Reservation(1, 1)}


def test_reservations_do_not_touch_each_other():
    two = SIX_RESERVED.after(reserve("R-2", 3), pick(2, "R-2"), ship(1))
    assert two.state.reservations == {"R-1": Reservation(5, 0), "R-2": Reservation(3, 2)}
    assert (two.state.on_hand, two.state.reserved, two.state.available) == (9, 8, 1)
