"""The rows of silver shipment events: what happened to each shipment, one row an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from application.codec import Recorded
from application.event_shapes import by_event
from domain.shipment import events


class ShipmentEventRow(NamedTuple):
    """One row per event of a shipment: what it said, and the shipment's status after it."""

    stream_id: str
    version: int
    kind: str
    occurred_at: datetime
    status: str
    units: int | None
    eta: datetime | None
    delay_minutes: int | None
    latitude: float | None
    longitude: float | None
    detail: str | None
    first_position: int
    last_position: int


_Said = tuple[int | None, datetime | None, int | None, float | None, float | None, str | None]
_row: Callable[[tuple[Any, ...]], ShipmentEventRow] = partial(tuple.__new__, ShipmentEventRow)
"""Half the time of `ShipmentEventRow(...)`."""


def row_of(recorded: Recorded, status: str) -> ShipmentEventRow:
    """Return the row of an event; `status` is the shipment's after it."""
    position, stream_id, version, event = recorded
    kind, said = _KINDS[type(event)]
    return _row((stream_id, version, kind, event.occurred_at, status, *said(event), position, position))


def _units(event: events.ShipmentPlanned | events.ShipmentDelivered) -> _Said:
    return sum(line.quantity for line in event.lines), None, None, None, None, None


def _dispatched(event: events.ShipmentDispatched) -> _Said:
    return None, event.eta, None, None, None, None


def _located(event: events.ShipmentLocationReported) -> _Said:
    return None, None, None, event.latitude, event.longitude, event.place


def _eta_revised(event: events.EtaRevised) -> _Said:
    return None, event.eta, None, None, None, event.reason


def _delayed(event: events.ShipmentDelayed) -> _Said:
    return None, None, event.delay_minutes, None, None, event.reason


def _reason(event: Any) -> _Said:
    return None, None, None, None, None, event.reason


def _exception_raised(event: events.ShipmentExceptionRaised) -> _Said:
    return None, None, None, None, None, event.kind


def _exception_resolved(event: events.ShipmentExceptionResolved) -> _Said:
    return None, None, None, None, None, event.resolution


def _provider(event: events.RouteMeasured | events.WeatherObserved) -> _Said:
    return None, None, None, None, None, event.provider


_OF_EVENTS: dict[type, tuple[str, Callable[[Any], _Said]]] = {
    events.ShipmentPlanned: ("planned", _units),
    events.ShipmentDispatched: ("dispatched", _dispatched),
    events.ShipmentLocationReported: ("located", _located),
    events.EtaRevised: ("eta_revised", _eta_revised),
    events.ShipmentDelayed: ("delayed", _delayed),
    events.ShipmentExceptionRaised: ("exception_raised", _exception_raised),
    events.ShipmentExceptionResolved: ("exception_resolved", _exception_resolved),
    events.DeliveryAttempted: ("delivery_attempted", _reason),
    events.ShipmentDelivered: ("delivered", _units),
    events.ShipmentReturned: ("returned", _reason),
    events.ShipmentVoided: ("voided", _reason),
    events.RouteMeasured: ("route_measured", _provider),
    events.WeatherObserved: ("weather_observed", _provider),
}
"""The kind of each event, and what of it goes into the row: units, eta, delay, latitude, longitude, detail."""
_KINDS = by_event(_OF_EVENTS)
