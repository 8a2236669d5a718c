"""What may be asked of a shipment. `occurred_at` is business time, with an offset."""

from __future__ import annotations

from datetime import datetime

from domain.shared.record import record


@record
class ShipmentLine:
    """Units of an order line to be sent."""

    line_no: int
    product_id: str
    quantity: int


@record
class ShippedQuantity:
    """Units of a shipment's line that arrived."""

    line_no: int
    quantity: int


@record
class ShipmentCommand:
    """The shipment that a command addresses, and when the business did it."""

    shipment_id: str
    occurred_at: datetime


@record
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


@record
class DispatchShipment(ShipmentCommand):
    """The shipment left; `eta` is the carrier's first estimate."""

    eta: datetime | None = None


@record
class ReportShipmentLocation(ShipmentCommand):
    """The shipment was seen somewhere (degrees, WGS 84)."""

    latitude: float
    longitude: float
    place: str | None = None


@record
class ReviseEta(ShipmentCommand):
    """The carrier expects another time of arrival."""

    eta: datetime
    reason: str | None = None


@record
class ReportShipmentDelay(ShipmentCommand):
    """The shipment is late by so many minutes against plan."""

    delay_minutes: int
    reason: str


@record
class RaiseShipmentException(ShipmentCommand):
    """Something went wrong that somebody must resolve."""

    exception_id: str
    kind: str
    description: str | None = None


@record
class ResolveShipmentException(ShipmentCommand):
    """It was resolved."""

    exception_id: str
    resolution: str | None = None


@record
class AttemptDelivery(ShipmentCommand):
    """The carrier tried to deliver and could not."""

    reason: str


@record
class DeliverShipment(ShipmentCommand):
    """The shipment arrived; all that was dispatched where no lines are given."""

    lines: tuple[ShippedQuantity, ...] = ()


@record
class ReturnShipment(ShipmentCommand):
    """The shipment goes back to its sender."""

    reason: str


@record
class VoidShipment(ShipmentCommand):
    """The shipment will not take place; only before dispatch."""

    reason: str


@record
class RecordRoute(ShipmentCommand):
    """A route was measured, by a service or as the great circle."""

    distance_km: float
    duration_minutes: float | None
    provider: str


@record
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
