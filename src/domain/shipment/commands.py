"""What may be asked of a shipment. `occurred_at` is business time, with an offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentLine:
    """Units of an order line to be sent."""

    line_no: int
    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedQuantity:
    """Units of a shipment's line that arrived."""

    line_no: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentCommand:
    """The shipment that a command addresses, and when the business did it."""

    shipment_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShipment(ShipmentCommand):
    """Plan to send order lines from a location to a place, with a carrier."""

    order_id: str
    lines: tuple[ShipmentLine, ...]
    carrier_id: str | None = None
    origin_location_id: str | None = None
    destination_city: str | None = None
    destination_country: str | None = None
    destination_latitude: float | None = None
    destination_longitude: float | None = None
    planned_dispatch_at: datetime | None = None
    planned_delivery_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchShipment(ShipmentCommand):
    """The shipment left; `eta` is the carrier's first estimate."""

    eta: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportShipmentLocation(ShipmentCommand):
    """The shipment was seen somewhere (degrees, WGS 84)."""

    latitude: float
    longitude: float
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseEta(ShipmentCommand):
    """The carrier expects another time of arrival."""

    eta: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportShipmentDelay(ShipmentCommand):
    """The shipment is late by so many minutes against plan."""

    delay_minutes: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseShipmentException(ShipmentCommand):
    """Something went wrong that somebody must resolve."""

    exception_id: str
    kind: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveShipmentException(ShipmentCommand):
    """It was resolved."""

    exception_id: str
    resolution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDelivery(ShipmentCommand):
    """The carrier tried to deliver and could not."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverShipment(ShipmentCommand):
    """The shipment arrived; all that was dispatched where no lines are given."""

    lines: tuple[ShippedQuantity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnShipment(ShipmentCommand):
    """The shipment goes back to its sender."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidShipment(ShipmentCommand):
    """The shipment will not take place; only before dispatch."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRoute(ShipmentCommand):
    """A route was measured, by a service or as the great circle."""

    distance_km: float
    duration_minutes: float | None
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordWeather(ShipmentCommand):
    """The weather at dispatch, as a service reported it."""

    observed_at: datetime
    provider: str
    temperature_c: float | None = None
    precipitation_mm: float | None = None
    wind_speed_kmh: float | None = None
    weather_code: int | None = None


COMMANDS: tuple[type[ShipmentCommand], ...] = (
    PlanShipment,
    DispatchShipment,
    ReportShipmentLocation,
    ReviseEta,
    ReportShipmentDelay,
    RaiseShipmentException,
    ResolveShipmentException,
    AttemptDelivery,
    DeliverShipment,
    ReturnShipment,
    VoidShipment,
    RecordRoute,
    RecordWeather,
)
