"""A shipment: planned, dispatched, in transit, then delivered or returned; or voided before it left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from domain.shared.measures import MAX_LINE_NO, require_coordinates, require_quantity
from domain.shared.refusal import Refusal
from domain.shipment import commands, errors, events
from domain.shipment.commands import ShipmentLine, ShippedQuantity
from domain.shipment.state import Shipment, ShipmentStatus, evolve

__all__ = ["Shipment", "ShipmentStatus", "decide", "evolve"]

Events = tuple[events.ShipmentEvent, ...]

MAX_MINUTES = 5_256_000
"""Ten years, of a delay or a route."""
MAX_DISTANCE_KM = 40_075
"""Once around the Earth."""
MAX_WEATHER_CODE = 99
# Looked up once: an enum's member takes a while to find by its class.
_PLANNED, _VOIDED = ShipmentStatus.PLANNED, ShipmentStatus.VOIDED
_UNDER_WAY = (ShipmentStatus.DISPATCHED, ShipmentStatus.IN_TRANSIT)
_ENDED: dict[ShipmentStatus, type[Refusal]] = {
    ShipmentStatus.DELIVERED: errors.ShipmentAlreadyDelivered,
    ShipmentStatus.RETURNED: errors.ShipmentAlreadyReturned,
    ShipmentStatus.VOIDED: errors.ShipmentAlreadyVoided,
}


def decide(state: Shipment | None, command: commands.ShipmentCommand) -> Events:
    """Return the events that the command causes, or raise a `Refusal`.

    Reports of what was seen or measured (location, eta, delay, route, weather) are also taken after the
    shipment was delivered or returned: they come late, and they move nothing back.
    """
    if isinstance(command, commands.PlanShipment):
        return _plan(state, command)
    if state is None:
        raise errors.ShipmentNotPlanned(f"({command.shipment_id})")
    return _DECIDE[type(command)](state, command)


def _plan(state: Shipment | None, command: commands.PlanShipment) -> Events:
    if state is not None:
        raise errors.ShipmentAlreadyPlanned(f"({command.shipment_id} is {state.status})")
    if not command.lines:
        raise errors.ShipmentWithoutLines(f"({command.shipment_id})")
    _require_lines(command.lines)
    require_coordinates(command.destination_latitude, command.destination_longitude)
    return (
        events.ShipmentPlanned(
            occurred_at=command.occurred_at,
            shipment_id=command.shipment_id,
            order_id=command.order_id,
            lines=command.lines,
            carrier_id=command.carrier_id,
            origin_location_id=command.origin_location_id,
            destination_city=command.destination_city,
            destination_country=command.destination_country,
            destination_latitude=command.destination_latitude,
            destination_longitude=command.destination_longitude,
            planned_dispatch_at=command.planned_dispatch_at,
            planned_delivery_at=command.planned_delivery_at,
        ),
    )


def _dispatch(state: Shipment, command: commands.DispatchShipment) -> Events:
    _require_not_dispatched(state)
    return (events.ShipmentDispatched(occurred_at=command.occurred_at, eta=command.eta),)


def _report_location(state: Shipment, command: commands.ReportShipmentLocation) -> Events:
    _require_not_voided(state)
    if state.status is _PLANNED:
        raise errors.ShipmentNotDispatched(f"({state.shipment_id})")
    require_coordinates(command.latitude, command.longitude)
    return (
        events.ShipmentLocationReported(
            occurred_at=command.occurred_at,
            latitude=command.latitude,
            longitude=command.longitude,
            place=command.place,
        ),
    )


def _revise_eta(state: Shipment, command: commands.ReviseEta) -> Events:
    _require_not_voided(state)
    return (
        events.EtaRevised(
            occurred_at=command.occurred_at, eta=command.eta, previous_eta=state.eta, reason=command.reason
        ),
    )


def _report_delay(state: Shipment, command: commands.ReportShipmentDelay) -> Events:
    _require_not_voided(state)
    if not 1 <= command.delay_minutes <= MAX_MINUTES:
        raise errors.InvalidDelay(f"(got {command.delay_minutes})")
    return (
        events.ShipmentDelayed(
            occurred_at=command.occurred_at, delay_minutes=command.delay_minutes, reason=command.reason
        ),
    )


def _raise_exception(state: Shipment, command: commands.RaiseShipmentException) -> Events:
    _require_not_ended(state)
    exception_id = command.exception_id
    if exception_id in state.open_exceptions or exception_id in state.resolved_exceptions:
        raise errors.ShipmentExceptionAlreadyRaised(f"({exception_id})")
    return (
        events.ShipmentExceptionRaised(
            occurred_at=command.occurred_at,
            exception_id=exception_id,
            kind=command.kind,
            description=command.description,
            open_exceptions=len(state.open_exceptions) + 1,
        ),
    )


def _resolve_exception(state: Shipment, command: commands.ResolveShipmentException) -> Events:
    exception_id = command.exception_id
    if exception_id in state.resolved_exceptions:
        raise errors.ShipmentExceptionAlreadyResolved(f"({exception_id})")
    if exception_id not in state.open_exceptions:
        raise errors.UnknownShipmentException(f"({exception_id})")
    return (
        events.ShipmentExceptionResolved(
            occurred_at=command.occurred_at,
            exception_id=exception_id,
            resolution=command.resolution,
            open_exceptions=len(state.open_exceptions) - 1,
        ),
    )


def _attempt_delivery(state: Shipment, command: commands.AttemptDelivery) -> Events:
    _require_under_way(state)
    return (
        events.DeliveryAttempted(occurred_at=command.occurred_at, reason=command.reason, attempts=state.attempts + 1),
    )


def _deliver(state: Shipment, command: commands.DeliverShipment) -> Events:
    _require_under_way(state)
    dispatched = {line.line_no: line.quantity for line in state.lines}
    _require_lines(command.lines)
    for line in command.lines:
        if line.line_no not in dispatched:
            raise errors.UnknownShipmentLine(f"(line {line.line_no})")
        if line.quantity > dispatched[line.line_no]:
            raise errors.DeliveredMoreThanDispatched(
                f"(line {line.line_no}: {line.quantity} of {dispatched[line.line_no]})"
            )
    everything = tuple(ShippedQuantity(line_no=no, quantity=units) for no, units in dispatched.items())
    return (events.ShipmentDelivered(occurred_at=command.occurred_at, lines=command.lines or everything),)


def _return(state: Shipment, command: commands.ReturnShipment) -> Events:
    _require_under_way(state)
    return (events.ShipmentReturned(occurred_at=command.occurred_at, reason=command.reason),)


def _void(state: Shipment, command: commands.VoidShipment) -> Events:
    _require_not_dispatched(state)
    return (events.ShipmentVoided(occurred_at=command.occurred_at, reason=command.reason),)


def _record_route(_: Shipment, command: commands.RecordRoute) -> Events:
    if not (0 <= command.distance_km <= MAX_DISTANCE_KM and 0 <= (command.duration_minutes or 0.0) <= MAX_MINUTES):
        raise errors.InvalidRoute(f"(got {command.distance_km} km, {command.duration_minutes} minutes)")
    return (
        events.RouteMeasured(
            occurred_at=command.occurred_at,
            distance_km=command.distance_km,
            duration_minutes=command.duration_minutes,
            provider=command.provider,
        ),
    )


def _record_weather(_: Shipment, command: commands.RecordWeather) -> Events:
    figures = (command.temperature_c, command.precipitation_mm, command.wind_speed_kmh)
    finite = all(figure is None or isfinite(figure) for figure in figures)
    if not finite or not 0 <= (command.weather_code or 0) <= MAX_WEATHER_CODE:
        raise errors.InvalidWeather(f"(got {figures}, code {command.weather_code})")
    return (
        events.WeatherObserved(
            occurred_at=command.occurred_at,
            observed_at=command.observed_at,
            provider=command.provider,
            temperature_c=command.temperature_c,
            precipitation_mm=command.precipitation_mm,
            wind_speed_kmh=command.wind_speed_kmh,
            weather_code=command.weather_code,
        ),
    )


def _require_lines(lines: Sequence[ShipmentLine | ShippedQuantity]) -> None:
    for line in lines:
        if not 1 <= line.line_no <= MAX_LINE_NO:
            raise errors.InvalidShipmentLine(f"(got {line.line_no})")
        require_quantity(line.quantity)
    if len({line.line_no for line in lines}) < len(lines):
        counted = Counter(line.line_no for line in lines)
        repeated = next(line_no for line_no, count in counted.items() if count > 1)
        raise errors.DuplicateShipmentLine(f"(line {repeated})")


def _require_not_ended(state: Shipment) -> None:
    if state.status is _PLANNED or state.status in _UNDER_WAY:
        return
    raise _ENDED[state.status](f"({state.shipment_id})")


def _require_not_voided(state: Shipment) -> None:
    if state.status is _VOIDED:
        raise errors.ShipmentAlreadyVoided(f"({state.shipment_id})")


def _require_not_dispatched(state: Shipment) -> None:
    _require_not_ended(state)
    if state.status is not _PLANNED:
        raise errors.ShipmentAlreadyDispatched(f"({state.shipment_id})")


def _require_under_way(state: Shipment) -> None:
    _require_not_ended(state)
    if state.status is _PLANNED:
        raise errors.ShipmentNotDispatched(f"({state.shipment_id})")


_DECIDE: dict[type, Callable[[Any, Any], Events]] = {
    commands.DispatchShipment: _dispatch,
    commands.ReportShipmentLocation: _report_location,
    commands.ReviseEta: _revise_eta,
    commands.ReportShipmentDelay: _report_delay,
    commands.RaiseShipmentException: _raise_exception,
    commands.ResolveShipmentException: _resolve_exception,
    commands.AttemptDelivery: _attempt_delivery,
    commands.DeliverShipment: _deliver,
    commands.ReturnShipment: _return,
    commands.VoidShipment: _void,
    commands.RecordRoute: _record_route,
    commands.RecordWeather: _record_weather,
}
