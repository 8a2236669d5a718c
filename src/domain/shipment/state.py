"""What is known of a shipment, and how each event changes it; `evolve` only assigns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from domain.shared.record import replace, value
from domain.shipment.commands import ShipmentLine, ShippedQuantity
from domain.shipment.events import (
    DeliveryAttempted,
    EtaRevised,
    RouteMeasured,
    ShipmentDelayed,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEvent,
    ShipmentExceptionRaised,
    ShipmentExceptionResolved,
    ShipmentLocationReported,
    ShipmentPlanned,
    ShipmentReturned,
    ShipmentVoided,
    WeatherObserved,
)


class ShipmentStatus(StrEnum):
    """Where a shipment stands."""

    PLANNED = "planned"
    DISPATCHED = "dispatched"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    RETURNED = "returned"
    VOIDED = "voided"


class Sighting(NamedTuple):
    """Where and when a shipment was seen (degrees, WGS 84)."""

    seen_at: datetime
    latitude: float
    longitude: float
    place: str | None


class Estimate(NamedTuple):
    """When a shipment is expected, and when that was said."""

    stated_at: datetime
    eta: datetime


@value
class Shipment:
    """A shipment; `sighting` and `estimate` are those with the latest business time."""

    shipment_id: str
    lines: tuple[ShipmentLine, ...]
    status: ShipmentStatus = ShipmentStatus.PLANNED
    sighting: Sighting | None = None
    estimate: Estimate | None = None
    open_exceptions: frozenset[str] = frozenset()
    resolved_exceptions: frozenset[str] = frozenset()
    attempts: int = 0
    delivered: tuple[ShippedQuantity, ...] = ()

    @property
    def eta(self) -> datetime | None:
        """The time of arrival that was stated last, in business time."""
        return self.estimate.eta if self.estimate else None


# Looked up once: an enum's member takes a while to find by its class.
_DISPATCHED, _IN_TRANSIT = ShipmentStatus.DISPATCHED, ShipmentStatus.IN_TRANSIT


def evolve(state: Shipment | None, event: ShipmentEvent) -> Shipment:
    """Return the shipment after the event."""
    return _EVOLVE[type(event)](state, event)


def _planned(_: Shipment | None, event: ShipmentPlanned) -> Shipment:
    return Shipment(event.shipment_id, event.lines)


def _dispatched(state: Shipment, event: ShipmentDispatched) -> Shipment:
    estimate = state.estimate if event.eta is None else _later(state.estimate, event.occurred_at, event.eta)
    return _moved(state, _DISPATCHED, state.sighting, estimate)


def _later(estimate: Estimate | None, stated_at: datetime, eta: datetime) -> Estimate:
    if estimate is not None and stated_at < estimate.stated_at:
        return estimate
    return Estimate(stated_at, eta)


def _located(state: Shipment, event: ShipmentLocationReported) -> Shipment:
    sighting = state.sighting
    if sighting is None or event.occurred_at >= sighting.seen_at:
        sighting = Sighting(event.occurred_at, event.latitude, event.longitude, event.place)
    status = _IN_TRANSIT if state.status is _DISPATCHED else state.status
    return _moved(state, status, sighting, state.estimate)


def _moved(state: Shipment, status: ShipmentStatus, sighting: Sighting | None, estimate: Estimate | None) -> Shipment:
    """Return the shipment with these; spelt out because most events of a shipment come here."""
    return Shipment(
        state.shipment_id,
        state.lines,
        status,
        sighting,
        estimate,
        state.open_exceptions,
        state.resolved_exceptions,
        state.attempts,
        state.delivered,
    )


def _eta_revised(state: Shipment, event: EtaRevised) -> Shipment:
    return replace(state, estimate=_later(state.estimate, event.occurred_at, event.eta))


def _exception_raised(state: Shipment, event: ShipmentExceptionRaised) -> Shipment:
    return replace(state, open_exceptions=state.open_exceptions | {event.exception_id})


def _exception_resolved(state: Shipment, event: ShipmentExceptionResolved) -> Shipment:
    return replace(
        state,
        open_exceptions=state.open_exceptions - {event.exception_id},
        resolved_exceptions=state.resolved_exceptions | {event.exception_id},
    )


def _attempted(state: Shipment, event: DeliveryAttempted) -> Shipment:
    return replace(state, attempts=event.attempts)


def _delivered(state: Shipment, event: ShipmentDelivered) -> Shipment:
    return replace(state, status=ShipmentStatus.DELIVERED, delivered=event.lines)


def _returned(state: Shipment, _: ShipmentReturned) -> Shipment:
    return replace(state, status=ShipmentStatus.RETURNED)


def _voided(state: Shipment, _: ShipmentVoided) -> Shipment:
    return replace(state, status=ShipmentStatus.VOIDED)


def _unchanged(state: Shipment, _: ShipmentEvent) -> Shipment:
    return state


_EVOLVE: dict[type, Callable[[Any, Any], Shipment]] = {
    ShipmentPlanned: _planned,
    ShipmentDispatched: _dispatched,
    ShipmentLocationReported: _located,
    EtaRevised: _eta_revised,
    ShipmentDelayed: _unchanged,
    ShipmentExceptionRaised: _exception_raised,
    ShipmentExceptionResolved: _exception_resolved,
    DeliveryAttempted: _attempted,
    ShipmentDelivered: _delivered,
    ShipmentReturned: _returned,
    ShipmentVoided: _voided,
    RouteMeasured: _unchanged,
    WeatherObserved: _unchanged,
}
