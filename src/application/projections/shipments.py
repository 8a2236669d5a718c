"""Silver shipments: each shipment and its lines as they stand after their events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from application.codec import Recorded
from application.event_shapes import by_event
from application.projections.shipment_events import ShipmentEventRow, row_of
from application.projections.subject import Rows, Subject
from application.projections.table import Table
from domain.shipment import events
from domain.shipment.commands import ShipmentLine


@dataclass(slots=True)
class ShipmentRow:
    """One row per shipment; what was seen, estimated or delayed is the latest in business time."""

    stream_id: str
    shipment_id: str
    order_id: str
    carrier_id: str | None
    origin_location_id: str | None
    destination_city: str | None
    destination_country: str | None
    destination_latitude: float | None
    destination_longitude: float | None
    line_count: int
    units: int
    planned_at: datetime
    planned_dispatch_at: datetime | None
    planned_delivery_at: datetime | None
    status: str = "planned"
    dispatched_at: datetime | None = None
    first_eta: datetime | None = None
    eta: datetime | None = None
    eta_stated_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_latitude: float | None = None
    last_longitude: float | None = None
    last_place: str | None = None
    delay_minutes: int | None = None
    delay_reason: str | None = None
    delay_stated_at: datetime | None = None
    exceptions: int = 0
    open_exceptions: int = 0
    attempts: int = 0
    delivered_at: datetime | None = None
    units_delivered: int = 0
    returned_at: datetime | None = None
    voided_at: datetime | None = None
    end_reason: str | None = None
    distance_km: float | None = None
    duration_minutes: float | None = None
    route_provider: str | None = None
    weather_observed_at: datetime | None = None
    weather_provider: str | None = None
    temperature_c: float | None = None
    precipitation_mm: float | None = None
    wind_speed_kmh: float | None = None
    weather_code: int | None = None
    first_position: int = 0
    last_position: int = 0


@dataclass(slots=True)
class ShipmentLineRow:
    """One row per line of a shipment; `line_no` is that of the order's line."""

    stream_id: str
    shipment_id: str
    line_no: int
    order_id: str
    product_id: str
    quantity: int
    delivered: int
    first_position: int
    last_position: int


@dataclass(slots=True)
class ShipmentView:
    """A shipment, its lines by number, and what happened to it since it was loaded."""

    shipment: ShipmentRow
    lines: dict[int, ShipmentLineRow]
    events: list[ShipmentEventRow] = field(default_factory=list)


def fold(view: ShipmentView | None, recorded: Recorded) -> ShipmentView:
    """Return the shipment after one event; an event that was folded before changes nothing."""
    position, _, _, event = recorded
    if view is None:
        view = _planned(event, recorded)
    elif position > view.shipment.last_position:
        _CHANGES[type(event)](view, event, position)
        view.shipment.last_position = position
    else:
        return view
    view.events.append(row_of(recorded, view.shipment.status))
    return view


def load(rows: Rows) -> ShipmentView:
    """Return the view of a shipment's rows."""
    (shipment,) = rows["shipments"]
    return ShipmentView(shipment, {line.line_no: line for line in rows["shipment_lines"]})


def rows_of(view: ShipmentView) -> Mapping[str, Iterable[Any]]:
    """Return a shipment's rows by table."""
    return {"shipments": (view.shipment,), "shipment_lines": view.lines.values(), "shipment_events": view.events}


def _planned(event: events.ShipmentPlanned, recorded: Recorded) -> ShipmentView:
    shipment = ShipmentRow(
        stream_id=recorded.stream_id,
        shipment_id=event.shipment_id,
        order_id=event.order_id,
        carrier_id=event.carrier_id,
        origin_location_id=event.origin_location_id,
        destination_city=event.destination_city,
        destination_country=event.destination_country,
        destination_latitude=event.destination_latitude,
        destination_longitude=event.destination_longitude,
        line_count=len(event.lines),
        units=sum(line.quantity for line in event.lines),
        planned_at=event.occurred_at,
        planned_dispatch_at=event.planned_dispatch_at,
        planned_delivery_at=event.planned_delivery_at,
        first_position=recorded.position,
        last_position=recorded.position,
    )
    return ShipmentView(shipment, {line.line_no: _line(shipment, line) for line in event.lines})


def _line(shipment: ShipmentRow, line: ShipmentLine) -> ShipmentLineRow:
    return ShipmentLineRow(
        stream_id=shipment.stream_id,
        shipment_id=shipment.shipment_id,
        line_no=line.line_no,
        order_id=shipment.order_id,
        product_id=line.product_id,
        quantity=line.quantity,
        delivered=0,
        first_position=shipment.first_position,
        last_position=shipment.last_position,
    )


def _dispatched(view: ShipmentView, event: events.ShipmentDispatched, _: int) -> None:
    row = view.shipment
    row.status = "dispatched"
    row.dispatched_at = event.occurred_at
    if event.eta is not None:
        _estimate(row, event.occurred_at, event.eta)


def _eta_revised(view: ShipmentView, event: events.EtaRevised, _: int) -> None:
    _estimate(view.shipment, event.occurred_at, event.eta)


def _estimate(row: ShipmentRow, stated_at: datetime, eta: datetime) -> None:
    row.first_eta = row.first_eta or eta
    if row.eta_stated_at is None or stated_at >= row.eta_stated_at:
        row.eta, row.eta_stated_at = eta, stated_at


def _located(view: ShipmentView, event: events.ShipmentLocationReported, _: int) -> None:
    row = view.shipment
    if row.status == "dispatched":
        row.status = "in_transit"
    if row.last_seen_at is None or event.occurred_at >= row.last_seen_at:
        row.last_seen_at = event.occurred_at
        row.last_latitude, row.last_longitude = event.latitude, event.longitude
        row.last_place = event.place


def _delayed(view: ShipmentView, event: events.ShipmentDelayed, _: int) -> None:
    row = view.shipment
    if row.delay_stated_at is None or event.occurred_at >= row.delay_stated_at:
        row.delay_minutes, row.delay_reason = event.delay_minutes, event.reason
        row.delay_stated_at = event.occurred_at


def _exception_raised(view: ShipmentView, event: events.ShipmentExceptionRaised, _: int) -> None:
    view.shipment.exceptions += 1
    view.shipment.open_exceptions = event.open_exceptions


def _exception_resolved(view: ShipmentView, event: events.ShipmentExceptionResolved, _: int) -> None:
    view.shipment.open_exceptions = event.open_exceptions


def _attempted(view: ShipmentView, event: events.DeliveryAttempted, _: int) -> None:
    view.shipment.attempts = event.attempts


def _delivered(view: ShipmentView, event: events.ShipmentDelivered, position: int) -> None:
    row = view.shipment
    row.status = "delivered"
    row.delivered_at = event.occurred_at
    row.units_delivered = sum(line.quantity for line in event.lines)
    for line in event.lines:
        view.lines[line.line_no].delivered = line.quantity
        view.lines[line.line_no].last_position = position


def _returned(view: ShipmentView, event: events.ShipmentReturned, _: int) -> None:
    row = view.shipment
    row.status, row.returned_at, row.end_reason = "returned", event.occurred_at, event.reason


def _voided(view: ShipmentView, event: events.ShipmentVoided, _: int) -> None:
    row = view.shipment
    row.status, row.voided_at, row.end_reason = "voided", event.occurred_at, event.reason


def _route_measured(view: ShipmentView, event: events.RouteMeasured, _: int) -> None:
    row = view.shipment
    row.distance_km, row.duration_minutes = event.distance_km, event.duration_minutes
    row.route_provider = event.provider


def _weather_observed(view: ShipmentView, event: events.WeatherObserved, _: int) -> None:
    row = view.shipment
    row.weather_observed_at, row.weather_provider = event.observed_at, event.provider
    row.temperature_c, row.precipitation_mm = event.temperature_c, event.precipitation_mm
    row.wind_speed_kmh, row.weather_code = event.wind_speed_kmh, event.weather_code


_OF_EVENTS: dict[type, Callable[[ShipmentView, Any, int], None]] = {
    events.ShipmentDispatched: _dispatched,
    events.ShipmentLocationReported: _located,
    events.EtaRevised: _eta_revised,
    events.ShipmentDelayed: _delayed,
    events.ShipmentExceptionRaised: _exception_raised,
    events.ShipmentExceptionResolved: _exception_resolved,
    events.DeliveryAttempted: _attempted,
    events.ShipmentDelivered: _delivered,
    events.ShipmentReturned: _returned,
    events.ShipmentVoided: _voided,
    events.RouteMeasured: _route_measured,
    events.WeatherObserved: _weather_observed,
}
_CHANGES = by_event(_OF_EVENTS)

SUBJECT = Subject(
    name="shipments",
    prefix="shipment-",
    tables=(
        Table("shipments", ShipmentRow, ("shipment_id",)),
        Table("shipment_lines", ShipmentLineRow, ("stream_id", "line_no"), indexes=(("product_id",),)),
        Table("shipment_events", ShipmentEventRow, ("stream_id", "version"), append_only=True),
    ),
    fold=fold,
    load=load,
    rows=rows_of,
)
