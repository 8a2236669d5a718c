"""Decisions about reservations: set units aside, give them back, pick them, ship them."""

from __future__ import annotations

from datetime import datetime

from domain.inventory.commands import PickStock, ReleaseReservation, ReserveStock, ShipStock
from domain.inventory.errors import (
    ReservationAlreadyUsed,
    ReservationConsumed,
    ReservationExceeded,
    ReservationUnknown,
)
from domain.inventory.events import (
    InventoryEvent,
    ReservationRejected,
    ReservationReleased,
    StockPicked,
    StockReserved,
    StockShipped,
)
from domain.inventory.rules import require_available, require_reason, with_reorder
from domain.inventory.state import Reservation, Stock
from domain.shared.measures import require_quantity

COUNT_SHORTFALL = "count shortfall"


def reserve(state: Stock, command: ReserveStock) -> tuple[InventoryEvent, ...]:
    """Set units aside, or record that too few are available.

    Raises ReservationAlreadyUsed where units were set aside under this id before.
    """
    require_quantity(command.quantity)
    key = command.reservation_id
    if key in state.reservations or key in state.consumed_reservations:
        raise ReservationAlreadyUsed(f"({key})")
    if command.quantity > state.available:
        return (_rejected(state, command),)
    event = StockReserved(
        occurred_at=command.occurred_at,
        reservation_id=key,
        quantity=command.quantity,
        remaining=command.quantity,
        on_hand=state.on_hand,
        reserved=state.reserved + command.quantity,
        quarantined=state.quarantined,
    )
    return with_reorder(state, event)


def _rejected(state: Stock, command: ReserveStock) -> ReservationRejected:
    return ReservationRejected(
        occurred_at=command.occurred_at,
        product_id=command.product_id,
        location_id=command.location_id,
        reservation_id=command.reservation_id,
        quantity=command.quantity,
        available=state.available,
    )


def release(state: Stock, command: ReleaseReservation) -> tuple[InventoryEvent, ...]:
    """Give reserved units back, picked ones too: those go back on the shelf.

    Raises ReasonMissing, ReservationUnknown, ReservationConsumed or ReservationExceeded.
    """
    require_reason(command.reason)
    if command.quantity is not None:
        require_quantity(command.quantity)
    reservation = _live(state, command.reservation_id)
    quantity = reservation.remaining if command.quantity is None else command.quantity
    _require_held(quantity, reservation.remaining)
    event = ReservationReleased(
        occurred_at=command.occurred_at,
        reservation_id=command.reservation_id,
        quantity=quantity,
        remaining=reservation.remaining - quantity,
        reason=command.reason,
        on_hand=state.on_hand,
        reserved=state.reserved - quantity,
        quarantined=state.quarantined,
    )
    return (event,)


def release_shortfall(state: Stock, shortfall: int, occurred_at: datetime) -> tuple[ReservationReleased, ...]:
    """Release so many units (at most those reserved) that a count did not find, latest reservation first."""
    released = []
    reserved = state.reserved
    for key, reservation in reversed(tuple(state.reservations.items())):
        if not shortfall:
            break
        quantity = min(shortfall, reservation.remaining)
        shortfall -= quantity
        reserved -= quantity
        released.append(
            ReservationReleased(
                occurred_at=occurred_at,
                reservation_id=key,
                quantity=quantity,
                remaining=reservation.remaining - quantity,
                reason=COUNT_SHORTFALL,
                on_hand=state.on_hand,
                reserved=reserved,
                quarantined=state.quarantined,
            )
        )
    return tuple(released)


def pick(state: Stock, command: PickStock) -> tuple[InventoryEvent, ...]:
    """Take reserved units from the shelf.

    Raises ReservationUnknown, ReservationConsumed, or ReservationExceeded where fewer are left to pick.
    """
    require_quantity(command.quantity)
    reservation = _live(state, command.reservation_id)
    _require_held(command.quantity, reservation.remaining - reservation.picked)
    event = StockPicked(
        occurred_at=command.occurred_at,
        reservation_id=command.reservation_id,
        quantity=command.quantity,
        picked=reservation.picked + command.quantity,
    )
    return (event,)


def ship(state: Stock, command: ShipStock) -> tuple[InventoryEvent, ...]:
    """Let units leave, from the reservation that is named or from what is available.

    Raises ReservationUnknown, ReservationConsumed or ReservationExceeded; without one, InsufficientStock.
    """
    require_quantity(command.quantity)
    if command.reservation_id is None:
        require_available(state, command.quantity)
        return with_reorder(state, _shipped(state, command, state.reserved, None))
    reservation = _live(state, command.reservation_id)
    _require_held(command.quantity, reservation.remaining)
    reserved = state.reserved - command.quantity
    return (_shipped(state, command, reserved, reservation.remaining - command.quantity),)


def _shipped(state: Stock, command: ShipStock, reserved: int, remaining: int | None) -> StockShipped:
    return StockShipped(
        occurred_at=command.occurred_at,
        quantity=command.quantity,
        reservation_id=command.reservation_id,
        remaining=remaining,
        shipment_id=command.shipment_id,
        on_hand=state.on_hand - command.quantity,
        reserved=reserved,
        quarantined=state.quarantined,
    )


def _live(state: Stock, reservation_id: str) -> Reservation:
    reservation = state.reservations.get(reservation_id)
    if reservation is not None:
        return reservation
    if reservation_id in state.consumed_reservations:
        raise ReservationConsumed(f"({reservation_id})")
    raise ReservationUnknown(f"({reservation_id})")


def _require_held(quantity: int, held: int) -> None:
    if quantity > held:
        raise ReservationExceeded(f"(asked for {quantity}, held {held})")
