"""Shipments: where they are, which are late, and how carriers and lanes do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from application.ports.listings import Star
from application.queries.definitions import SHIPMENTS, Dimension, Listing, Source
from application.queries.dimensions import DIMENSIONS
from application.queries.views.choice import Choice
from application.queries.views.explaining import overdue_shipments
from application.queries.views.measuring import TOTAL, measured, named, table_by, tiles
from application.queries.views.shapes import Column, Table, Tile
from application.queries.views.words import at, status_in_words

FLOWS = ("shipments", "delivery_on_time_rate", "transit_days", "shipment_exceptions")
CARRIERS = (
    "shipments",
    "delivery_on_time_rate",
    "delivery_delay_p50_hours",
    "delivery_delay_p95_hours",
    "transit_days",
    "shipment_exceptions",
    "failed_attempts",
)
LANES = ("shipments", "delivery_on_time_rate", "transit_days", "delivery_delay_p95_hours")
ON_MAP = 400
_ORIGIN = "LEFT JOIN dim_location origin ON origin.location_key = f.location_key"
_LANE = "coalesce(origin.name, f.location_id, 'unknown') || ' → ' || coalesce(f.destination_country, 'unknown')"
LANE = Dimension("lane", "Lane", {SHIPMENTS.name: Source(_LANE, _LANE, (_ORIGIN,))})
_AS_NAMED = (
    "stream_id",
    "shipment_id",
    "order_id",
    "status",
    "planned_delivery_at",
    "eta",
    "delivered_at",
    "returned_at",
)
_SEEN = ("last_seen_at", "last_latitude", "last_longitude", "temperature_c", "precipitation_mm", "wind_speed_kmh")
LATEST = Listing(
    SHIPMENTS,
    (
        *((name, f"f.{name}") for name in (*_AS_NAMED, *_SEEN)),
        ("carrier", "coalesce(who.name, f.carrier_id)"),
        ("origin", "coalesce(origin.name, f.location_id)"),
        ("origin_latitude", "origin.latitude"),
        ("origin_longitude", "origin.longitude"),
        ("destination", "concat_ws(', ', f.destination_city, f.destination_country)"),
        ("latitude", "f.destination_latitude"),
        ("longitude", "f.destination_longitude"),
    ),
    # What is under way first, then what arrived last.
    "f.status IN ('delivered', 'returned', 'voided'), f.planned_at DESC, f.stream_id",
    (_ORIGIN, "LEFT JOIN dim_carrier who ON who.carrier_key = f.carrier_key"),
    "f.dispatched_at IS NOT NULL",
)

Place = tuple[float, float]
"""Longitude and latitude, in degrees."""


class Route(NamedTuple):
    """A shipment on the map; `seen` is where it was last, None where nobody saw it or it is not under way any more."""

    stream_id: str
    title: str
    detail: str
    late: bool
    start: Place
    end: Place
    seen: Place | None


class Shipments(NamedTuple):
    """What the page shows of shipments planned in the chosen period; `dispatched` are those that left.

    Not all of these are on the map: only the first of the list are, as far as both ends of their way are known.
    """

    flows: tuple[Tile, ...]
    routes: tuple[Route, ...]
    dispatched: int
    latest: Table
    carriers: Table
    lanes: Table


def shipments(star: Star, choice: Choice) -> Shipments:
    """Measure and list shipments; raises AnalyticsUnavailableError."""
    rows = star.rows(LATEST, choice.where(SHIPMENTS, choice.period), ON_MAP)
    carriers = table_by(star, named(choice, CARRIERS), DIMENSIONS["carrier"], choice, "Carriers")
    lanes = table_by(star, named(choice, LANES), LANE, choice, "Lanes")
    left = measured(star, named(choice, ("shipments_dispatched",)), choice, choice.period)[TOTAL]
    return Shipments(
        tiles(star, [*named(choice, FLOWS), overdue_shipments(choice)], choice),
        tuple(route for row in rows if (route := _route(row, choice.now))),
        int(left["shipments_dispatched"] or 0),
        _latest(rows, choice.now),
        carriers,
        lanes._replace(rows=tuple(sorted(lanes.rows, key=lambda row: -(row[1] or 0)))),
    )


def is_late(row: dict[str, Any], now: datetime) -> bool:
    """Tell whether a shipment arrived after the plan, or is past it and still under way."""
    planned, arrived = row["planned_delivery_at"], row["delivered_at"]
    went_back = arrived is None and row["returned_at"] is not None
    return planned is not None and not went_back and (arrived or now) > planned


def weather(row: dict[str, Any]) -> str:
    """Return the weather at dispatch in words, as far as somebody recorded it."""
    parts = (
        ("temperature_c", "{:.0f} °C"),
        ("precipitation_mm", "{:.1f} mm of rain"),
        ("wind_speed_kmh", "wind {:.0f} km/h"),
    )
    return ", ".join(form.format(row[name]) for name, form in parts if row[name] is not None) or "not recorded"


def _route(row: dict[str, Any], now: datetime) -> Route | None:
    start = _place(row["origin_longitude"], row["origin_latitude"])
    end = _place(row["longitude"], row["latitude"])
    if start is None or end is None:
        return None
    over = row["delivered_at"] is not None or row["returned_at"] is not None
    way = f"{row['origin']} → {row['destination']}"
    detail = f"{way}; {row['carrier']}; {_arrival(row)}; weather at dispatch: {weather(row)}"
    title = f"{row['shipment_id']} · {status_in_words(row['status'])}"
    seen = None if over else _place(row["last_longitude"], row["last_latitude"])
    return Route(row["stream_id"], title, detail, is_late(row, now), start, end, seen)


def _arrival(row: dict[str, Any]) -> str:
    if row["delivered_at"] is not None:
        return f"arrived {at(row['delivered_at'])}"
    if row["returned_at"] is not None:
        return f"went back {at(row['returned_at'])}"
    return f"expected {at(row['eta'])}"


def _place(longitude: float | None, latitude: float | None) -> Place | None:
    return None if longitude is None or latitude is None else (float(longitude), float(latitude))


def _latest(rows: list[dict[str, Any]], now: datetime) -> Table:
    columns = (
        Column("Shipment"),
        Column("Order"),
        Column("Carrier"),
        Column("From"),
        Column("To"),
        Column("Status"),
        Column("Late", "flag"),
        Column("Planned arrival (UTC)", "time"),
        Column("Expected (UTC)", "time"),
        Column("Arrived (UTC)", "time"),
        Column("Weather at dispatch"),
    )
    made = tuple(
        (
            *(row[name] for name in ("shipment_id", "order_id", "carrier", "origin", "destination")),
            status_in_words(row["status"]),
            is_late(row, now),
            *(row[name] for name in ("planned_delivery_at", "eta", "delivered_at")),
            weather(row),
        )
        for row in rows
    )
    title = f"Under way, then the latest arrivals: the first {ON_MAP}" if len(rows) == ON_MAP else "Shipments"
    return Table(title, columns, made, tuple(row["stream_id"] for row in rows))
