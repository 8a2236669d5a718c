"""What processes have to know of a shipment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.shipment.events import (
    RouteMeasured,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentPlanned,
    ShipmentReturned,
    WeatherObserved,
)


class ShipmentHistory:
    """The history of one shipment, event by event; a time is None where that did not happen."""

    def __init__(self, correlation_id: str) -> None:
        self.correlation_id = correlation_id
        self.plan: ShipmentPlanned | None = None
        self.dispatched_at: datetime | None = None
        self.delivered_at: datetime | None = None
        self.returned_at: datetime | None = None
        self.delivered: dict[int, int] = {}
        self.route_known = False
        self.weather_known = False

    def note(self, event: Any) -> None:
        """Take in the next event of the shipment."""
        note = _NOTES.get(type(event))
        if note is not None:
            note(self, event)


def _planned(history: ShipmentHistory, event: ShipmentPlanned) -> None:
    history.plan = event


def _dispatched(history: ShipmentHistory, event: ShipmentDispatched) -> None:
    history.dispatched_at = event.occurred_at


def _delivered(history: ShipmentHistory, event: ShipmentDelivered) -> None:
    history.delivered_at = event.occurred_at
    history.delivered = {line.line_no: line.quantity for line in event.lines}


def _returned(history: ShipmentHistory, event: ShipmentReturned) -> None:
    history.returned_at = event.occurred_at


def _route(history: ShipmentHistory, _: RouteMeasured) -> None:
    history.route_known = True


def _weather(history: ShipmentHistory, _: WeatherObserved) -> None:
    history.weather_known = True


_NOTES: dict[type, Callable[[ShipmentHistory, Any], None]] = {
    ShipmentPlanned: _planned,
    ShipmentDispatched: _dispatched,
    ShipmentDelivered: _delivered,
    ShipmentReturned: _returned,
    RouteMeasured: _route,
    WeatherObserved: _weather,
}
