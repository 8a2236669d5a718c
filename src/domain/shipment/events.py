"""What happened to a shipment."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from domain.shared.record import record
from domain.shipment.commands import ShipmentLine, ShippedQuantity


@record
class ShipmentPlanned:
    """A shipment of order lines was planned."""

    TOPIC: ClassVar[str] = "ShipmentPlanned.v1"

    occurred_at: datetime
    shipment_id: str
    order_id: str
    lines: tuple[ShipmentLine, ...]
    carrier_id: str | None
    origin_location_id: str | None
    destination_city: str | None
    destination_country: str | None
    destination_latitude: float | None
    destination_longitude: float | None
    planned_dispatch_at: datetime | None
    planned_delivery_at: datetime | None


@record
class ShipmentDispatched:
    """The shipment left."""

    TOPIC: ClassVar[str] = "ShipmentDispatched.v1"

    occurred_at: datetime
    eta: datetime | None


@record
class ShipmentLocationReported:
    """The shipment was seen somewhere; a late report is kept, but moves nothing back."""

    TOPIC: ClassVar[str] = "ShipmentLocationReported.v1"

    occurred_at: datetime
    latitude: float
    longitude: float
    place: str | None


@record
class EtaRevised:
    """The carrier expected another time of arrival."""

    TOPIC: ClassVar[str] = "EtaRevised.v1"

    occurred_at: datetime
    eta: datetime
    previous_eta: datetime | None
    reason: str | None


@record
class ShipmentDelayed:
    """The shipment was late by so many minutes against plan."""

    TOPIC: ClassVar[str] = "ShipmentDelayed.v1"

    occurred_at: datetime
    delay_minutes: int
    reason: str


@record
class ShipmentExceptionRaised:
    """Something went wrong."""

    TOPIC: ClassVar[str] = "ShipmentExceptionRaised.v1"

    occurred_at: datetime
    exception_id: str
    kind: str
    description: str | None
    open_exceptions: int


@record
class ShipmentExceptionResolved:
    """It was resolved."""

    TOPIC: ClassVar[str] = "ShipmentExceptionResolved.v1"

    occurred_at: datetime
    exception_id: str
    resolution: str | None
    open_exceptions: int


@record
class DeliveryAttempted:
    """The carrier tried to deliver and could not; `attempts` so far."""

    TOPIC: ClassVar[str] = "DeliveryAttempted.v1"

    occurred_at: datetime
    reason: str
    attempts: int


@record
class ShipmentDelivered:
    """The shipment arrived, with so many units of each line."""

    TOPIC: ClassVar[str] = "ShipmentDelivered.v1"

    occurred_at: datetime
    lines: tuple[ShippedQuantity, ...]


@record
class ShipmentReturned:
    """The shipment went back to its sender."""

    TOPIC: ClassVar[str] = "ShipmentReturned.v1"

    occurred_at: datetime
    reason: str


@record
class ShipmentVoided:
    """The shipment did not take place."""

    TOPIC: ClassVar[str] = "ShipmentVoided.v1"

    occurred_at: datetime
    reason: str


@record
class RouteMeasured:
    """The route's length and duration, and who measured it."""

    TOPIC: ClassVar[str] = "RouteMeasured.v1"

    occurred_at: datetime
    distance_km: float
    duration_minutes: float | None
    provider: str


@record
class WeatherObserved:
    """The weather at dispatch, and who reported it."""

    TOPIC: ClassVar[str] = "WeatherObserved.v1"

    occurred_at: datetime
    observed_at: datetime
    provider: str
    temperature_c: float | None
    precipitation_mm: float | None
    wind_speed_kmh: float | None
    weather_code: int | None


ShipmentEvent = (
    ShipmentPlanned
    | ShipmentDispatched
    | ShipmentLocationReported
    | EtaRevised
    | ShipmentDelayed
    | ShipmentExceptionRaised
    | ShipmentExceptionResolved
    | DeliveryAttempted
    | ShipmentDelivered
    | ShipmentReturned
    | ShipmentVoided
    | RouteMeasured
    | WeatherObserved
)
