"""The stock of a product at a location as its events leave it: `evolve` assigns what events carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.inventory.events import (
    InventoryEvent,
    ReorderPointReached,
    ReorderPointSet,
    ReservationRejected,
    ReservationReleased,
    StockAdjusted,
    StockCounted,
    StockPicked,
    StockQuarantined,
    StockReceived,
    StockReleasedFromQuarantine,
    StockReserved,
    StockReturned,
    StockScrapped,
    StockShipped,
    StockTransferredIn,
    StockTransferredOut,
)
from domain.inventory.used_ids import NO_IDS, UsedIds
from domain.shared.record import replace, value

LevelledEvent = (
    StockReceived
    | StockReserved
    | ReservationReleased
    | StockShipped
    | StockTransferredOut
    | StockTransferredIn
    | StockCounted
    | StockAdjusted
    | StockQuarantined
    | StockReleasedFromQuarantine
    | StockScrapped
    | StockReturned
)


@value
class Reservation:
    """Units set aside; `picked` of the `remaining` ones are off the shelf."""

    remaining: int
    picked: int


@value
class Stock:
    """Levels in units, `on_hand >= reserved + quarantined >= 0`, and the ids that can't be used again.

    `reservations` are the live ones, earliest first; of the others only the ids are kept.
    """

    on_hand: int
    reserved: int
    quarantined: int
    reservations: Mapping[str, Reservation]
    consumed_reservations: UsedIds = NO_IDS
    transfers_out: UsedIds = NO_IDS
    transfers_in: UsedIds = NO_IDS
    reorder_point: int | None = None
    reorder_quantity: int = 0

    @property
    def available(self) -> int:
        """Units on hand that are neither reserved nor quarantined."""
        return self.on_hand - self.reserved - self.quarantined


EMPTY = Stock(0, 0, 0, {})


def evolve(state: Stock | None, event: InventoryEvent) -> Stock:
    """Return the stock after an event; None is the stock of a stream that doesn't exist yet."""
    return _EVOLVE[type(event)](EMPTY if state is None else state, event)


def _at_levels(state: Stock, event: LevelledEvent) -> Stock:
    return Stock(
        event.on_hand,
        event.reserved,
        event.quarantined,
        state.reservations,
        state.consumed_reservations,
        state.transfers_out,
        state.transfers_in,
        state.reorder_point,
        state.reorder_quantity,
    )


def _unchanged(state: Stock, _event: InventoryEvent) -> Stock:
    return state


def _with_reservation(
    state: Stock,
    event: StockReserved | ReservationReleased | StockShipped,
    key: str,
    reservation: Reservation,
) -> Stock:
    reservations = dict(state.reservations)
    consumed = state.consumed_reservations
    if reservation.remaining:
        reservations[key] = reservation
    else:
        del reservations[key]
        consumed = consumed.adding(key)
    return Stock(
        event.on_hand,
        event.reserved,
        event.quarantined,
        reservations,
        consumed,
        state.transfers_out,
        state.transfers_in,
        state.reorder_point,
        state.reorder_quantity,
    )


def _reserved(state: Stock, event: StockReserved) -> Stock:
    return _with_reservation(state, event, event.reservation_id, Reservation(event.remaining, 0))


def _released(state: Stock, event: ReservationReleased) -> Stock:
    # Units still on the shelf are given back first.
    picked = min(state.reservations[event.reservation_id].picked, event.remaining)
    return _with_reservation(state, event, event.reservation_id, Reservation(event.remaining, picked))


def _picked(state: Stock, event: StockPicked) -> Stock:
    remaining = state.reservations[event.reservation_id].remaining
    reservations = {**state.reservations, event.reservation_id: Reservation(remaining, event.picked)}
    return Stock(
        state.on_hand,
        state.reserved,
        state.quarantined,
        reservations,
        state.consumed_reservations,
        state.transfers_out,
        state.transfers_in,
        state.reorder_point,
        state.reorder_quantity,
    )


def _shipped(state: Stock, event: StockShipped) -> Stock:
    if event.reservation_id is None or event.remaining is None:
        return _at_levels(state, event)
    # Picked units leave first.
    picked = max(state.reservations[event.reservation_id].picked - event.quantity, 0)
    return _with_reservation(state, event, event.reservation_id, Reservation(event.remaining, picked))


def _transferred_out(state: Stock, event: StockTransferredOut) -> Stock:
    transfers_out = state.transfers_out.adding(event.transfer_id)
    return replace(_at_levels(state, event), transfers_out=transfers_out)


def _transferred_in(state: Stock, event: StockTransferredIn) -> Stock:
    transfers_in = state.transfers_in.adding(event.transfer_id)
    return replace(_at_levels(state, event), transfers_in=transfers_in)


def _reorder_point_set(state: Stock, event: ReorderPointSet) -> Stock:
    return replace(state, reorder_point=event.reorder_point, reorder_quantity=event.reorder_quantity)


_EVOLVE: dict[type, Callable[[Stock, Any], Stock]] = {
    StockReceived: _at_levels,
    StockReserved: _reserved,
    ReservationRejected: _unchanged,
    ReservationReleased: _released,
    StockPicked: _picked,
    StockShipped: _shipped,
    StockTransferredOut: _transferred_out,
    StockTransferredIn: _transferred_in,
    StockCounted: _at_levels,
    StockAdjusted: _at_levels,
    StockQuarantined: _at_levels,
    StockReleasedFromQuarantine: _at_levels,
    StockScrapped: _at_levels,
    StockReturned: _at_levels,
    ReorderPointSet: _reorder_point_set,
    ReorderPointReached: _unchanged,
}
