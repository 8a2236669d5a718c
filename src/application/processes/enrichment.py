"""Enrichment: from the dispatch of a shipment to the question where it goes, and the commands that keep the answers."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from application.processes.shipment_history import ShipmentHistory
from domain.catalog.details import LocationDetails
from domain.shared.distance import great_circle_km
from domain.shipment.commands import RecordRoute, RecordWeather

GREAT_CIRCLE = "great-circle"
"""Provider of a route that was computed because nobody answered."""


class Spot(NamedTuple):
    """A place as far as it is known: degrees (WGS 84), or a city, perhaps with its country."""

    latitude: float | None
    longitude: float | None
    city: str | None
    country: str | None

    @property
    def coordinates(self) -> tuple[float, float] | None:
        """Latitude and longitude, where both are known."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)


class Journey(NamedTuple):
    """A shipment that left, and what is still to be asked about it."""

    shipment_id: str
    dispatched_at: datetime
    origin: Spot
    destination: Spot
    needs_route: bool
    needs_weather: bool


def journey(shipment: ShipmentHistory, origin: LocationDetails) -> Journey | None:
    """Return what is to be asked about a shipment from a location; None where all is known, or it has not left."""
    plan, dispatched_at = shipment.plan, shipment.dispatched_at
    if plan is None or dispatched_at is None or (shipment.route_known and shipment.weather_known):
        return None
    destination = Spot(
        plan.destination_latitude, plan.destination_longitude, plan.destination_city, plan.destination_country
    )
    start = Spot(origin.latitude, origin.longitude, origin.city, origin.country)
    needs = not shipment.route_known, not shipment.weather_known
    return Journey(plan.shipment_id, dispatched_at, start, destination, *needs)


def keep_route(asked: Journey, distance_km: float, duration_minutes: float | None, provider: str) -> RecordRoute:
    """Return the command that keeps a route."""
    return RecordRoute(
        shipment_id=asked.shipment_id,
        occurred_at=asked.dispatched_at,
        distance_km=distance_km,
        duration_minutes=duration_minutes,
        provider=provider,
    )


def keep_great_circle(asked: Journey, origin: tuple[float, float], destination: tuple[float, float]) -> RecordRoute:
    """Return the command that keeps the great circle in place of a route, marked as such."""
    return keep_route(asked, round(great_circle_km(*origin, *destination), 3), None, GREAT_CIRCLE)


def keep_weather(
    asked: Journey,
    observed_at: datetime,
    provider: str,
    *,
    temperature_c: float | None,
    precipitation_mm: float | None,
    wind_speed_kmh: float | None,
    weather_code: int | None,
) -> RecordWeather:
    """Return the command that keeps the weather where and when a shipment left."""
    return RecordWeather(
        shipment_id=asked.shipment_id,
        occurred_at=asked.dispatched_at,
        observed_at=observed_at,
        provider=provider,
        temperature_c=temperature_c,
        precipitation_mm=precipitation_mm,
        wind_speed_kmh=wind_speed_kmh,
        weather_code=weather_code,
    )
