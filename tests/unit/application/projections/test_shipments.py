from __future__ import annotations

from typing import Any

from application.projections.shipments import SUBJECT
from domain.shipment import events
from domain.shipment.commands import ShipmentLine, ShippedQuantity
from tests.unit.application.projections.stream import rows_of, utc

DAY = {n: utc(f"2024-03-{n:02}") for n in range(1, 20)}
PLANNED = events.ShipmentPlanned(
    occurred_at=DAY[1],
    shipment_id="s1",
    order_id="o1",
    lines=(
        ShipmentLine(line_no=1, product_id="p1", quantity=4),
        ShipmentLine(line_no=3, product_id="p2", quantity=6),
    ),
    carrier_id="ups",
    origin_location_id="hamburg",
    destination_city="Reims",
    destination_country="France",
    destination_latitude=49.25,
    destination_longitude=4.03,
    planned_dispatch_at=DAY[2],
    planned_delivery_at=DAY[5],
)
DISPATCHED = events.ShipmentDispatched(occurred_at=DAY[2], eta=DAY[6])


def seen(day: int, place: str) -> events.ShipmentLocationReported:
    return events.ShipmentLocationReported(occurred_at=DAY[day], latitude=50.0, longitude=8.0, place=place)


def revised(day: int, eta: int) -> events.EtaRevised:
    return events.EtaRevised(occurred_at=DAY[day], eta=DAY[eta], previous_eta=None, reason=None)


def shipment(*stream: Any) -> Any:
    (row,) = rows_of(SUBJECT, "shipment-s1", *stream)["shipments"]
    return row


def test_a_planned_shipment_gives_one_row_and_a_row_for_each_line() -> None:
    rows = rows_of(SUBJECT, "shipment-s1", PLANNED)
    (row,) = rows["shipments"]
    assert (row.status, row.order_id, row.units, row.line_count) == ("planned", "o1", 10, 2)
    assert (row.planned_at, row.planned_delivery_at) == (DAY[1], DAY[5])
    assert (row.exceptions, row.open_exceptions, row.attempts, row.units_delivered) == (0, 0, 0, 0)
    assert [(line.line_no, line.product_id, line.quantity) for line in rows["shipment_lines"]] == [
        (1, "p1", 4),
        (3, "p2", 6),
    ]


def test_a_dispatched_shipment_is_in_transit_once_it_is_seen() -> None:
    assert shipment(PLANNED, DISPATCHED).status == "dispatched"
    assert shipment(PLANNED, DISPATCHED).dispatched_at == DAY[2]
    assert shipment(PLANNED, DISPATCHED, seen(3, "Kassel")).status == "in_transit"


def test_a_report_that_comes_late_moves_nothing_back() -> None:
    row = shipment(PLANNED, DISPATCHED, seen(5, "Metz"), seen(3, "Kassel"), revised(4, 8), revised(3, 7))
    assert (row.last_place, row.last_seen_at) == ("Metz", DAY[5])
    assert (row.eta, row.first_eta) == (DAY[8], DAY[6])


def test_of_two_delays_the_later_one_counts() -> None:
    first = events.ShipmentDelayed(occurred_at=DAY[4], delay_minutes=90, reason="snow")
    earlier = events.ShipmentDelayed(occurred_at=DAY[3], delay_minutes=30, reason="traffic")
    row = shipment(PLANNED, DISPATCHED, first, earlier)
    assert (row.delay_minutes, row.delay_reason) == (90, "snow")


def test_of_what_was_said_at_one_time_the_last_recorded_counts() -> None:
    delays = [events.ShipmentDelayed(occurred_at=DAY[4], delay_minutes=n, reason=f"{n}") for n in (90, 30)]
    row = shipment(PLANNED, DISPATCHED, revised(2, 7), seen(4, "Metz"), seen(4, "Nancy"), *delays)
    assert (row.eta, row.last_place, row.delay_minutes, row.delay_reason) == (DAY[7], "Nancy", 30, "30")


def test_exceptions_and_attempts_are_counted_once_each() -> None:
    row = shipment(
        PLANNED,
        DISPATCHED,
        events.ShipmentExceptionRaised(
            occurred_at=DAY[3], exception_id="x1", kind="customs", description=None, open_exceptions=1
        ),
        events.ShipmentExceptionRaised(
            occurred_at=DAY[3], exception_id="x2", kind="damage", description=None, open_exceptions=2
        ),
        events.ShipmentExceptionResolved(occurred_at=DAY[4], exception_id="x1", resolution=None, open_exceptions=1),
        events.DeliveryAttempted(occurred_at=DAY[5], reason="nobody there", attempts=1),
    )
    assert (row.exceptions, row.open_exceptions, row.attempts) == (2, 1, 1)


def test_a_delivery_sets_the_units_of_the_lines_that_arrived() -> None:
    arrived = events.ShipmentDelivered(occurred_at=DAY[6], lines=(ShippedQuantity(line_no=3, quantity=5),))
    rows = rows_of(SUBJECT, "shipment-s1", PLANNED, DISPATCHED, arrived, seen(4, "Metz"))
    (row,) = rows["shipments"]
    assert (row.status, row.delivered_at, row.units_delivered) == ("delivered", DAY[6], 5)
    assert [(line.delivered, line.last_position) for line in rows["shipment_lines"]] == [(0, 101), (5, 103)]
    assert row.last_position == 104


def test_a_return_and_a_void_end_a_shipment_with_a_reason() -> None:
    returned = shipment(PLANNED, DISPATCHED, events.ShipmentReturned(occurred_at=DAY[7], reason="refused"))
    voided = shipment(PLANNED, events.ShipmentVoided(occurred_at=DAY[2], reason="order cancelled"))
    assert (returned.status, returned.returned_at, returned.end_reason) == ("returned", DAY[7], "refused")
    assert (voided.status, voided.voided_at, voided.end_reason) == ("voided", DAY[2], "order cancelled")


def test_route_and_weather_are_kept_with_who_reported_them() -> None:
    row = shipment(
        PLANNED,
        events.RouteMeasured(occurred_at=DAY[1], distance_km=870.5, duration_minutes=560.0, provider="osrm"),
        events.WeatherObserved(
            occurred_at=DAY[2],
            observed_at=DAY[2],
            provider="open-meteo",
            temperature_c=-2.5,
            precipitation_mm=0.4,
            wind_speed_kmh=18.0,
            weather_code=71,
        ),
    )
    assert (row.distance_km, row.duration_minutes, row.route_provider) == (870.5, 560.0, "osrm")
    assert (row.temperature_c, row.weather_code, row.weather_provider) == (-2.5, 71, "open-meteo")
