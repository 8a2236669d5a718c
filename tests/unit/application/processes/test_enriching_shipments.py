"""Enrichment: route and weather of what was dispatched, asked once, kept as events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from adapters.memory.event_store import MemoryCaseBook, MemoryDatabase, MemoryEventStore
from application import codec
from application.ports.geocoder import Place
from application.ports.routes import Route
from application.ports.services import Coordinates, ServiceRefusedError, ServiceUnavailableError
from application.ports.weather import Weather
from application.process_runner.enriching import PATIENCE, Enriching, Services
from application.process_runner.runner import Runner
from domain.catalog.commands import RegisterLocation
from domain.shipment.commands import PlanShipment, RecordRoute, ShipmentLine
from domain.shipment.events import RouteMeasured, WeatherObserved
from tests.unit.application.processes.house import NOON, dispatched, tell

BERLIN, PARIS = Coordinates(52.52, 13.40), Coordinates(48.86, 2.35)
LEFT = NOON + timedelta(hours=1)


@dataclass
class Outside:
    """Plays all three services; an error that is set is raised instead of an answer."""

    weather: Weather | None
    away: Exception | None = None
    weather_away: Exception | None = None
    asked: list[object] = field(default_factory=list)

    def between(self, origin: Coordinates, destination: Coordinates) -> Route | None:
        self.asked.append((origin, destination))
        if self.away:
            raise self.away
        return Route(1050.5, 620.0, "roads", "")

    def at(self, place: Coordinates, when: datetime) -> Weather | None:
        self.asked.append((place, when))
        if self.weather_away:
            raise self.weather_away
        return self.weather

    def find(self, query: str, country: str | None = None) -> Place | None:
        self.asked.append((query, country))
        return Place(PARIS, None, query, "map", "") if query == "Paris" else None

    def probe(self) -> None:
        raise AssertionError


class Desk:
    """Enrichment on a store in memory, with a clock that is set by hand."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.store = MemoryEventStore(self.database)
        self.cases = MemoryCaseBook(self.database)
        self.outside = Outside(Weather(LEFT, "station", "", 3.5, None, 12.0, 61))
        self.now = LEFT
        self.restart()

    def restart(self) -> None:
        services = Services(self.outside, self.outside, self.outside)
        self.runner = Runner(Enriching(self.store, services), self.store, self.cases, lambda: self.now)

    def register(self) -> None:
        latitude, longitude = BERLIN
        tell(
            self.store,
            RegisterLocation(location_id="main", occurred_at=NOON, name="Main", latitude=latitude, longitude=longitude),
        )

    def dispatch(self, shipment_id: str = "S") -> None:
        plan = PlanShipment(
            shipment_id=shipment_id,
            occurred_at=NOON,
            order_id="1",
            lines=(ShipmentLine(line_no=1, product_id="A", quantity=1),),
            origin_location_id="main",
            destination_city="Paris",
            destination_country="FR",
        )
        tell(self.store, plan, dispatched(shipment_id))

    def kept(self) -> list[object]:
        events = [codec.decode(*event) for event in self.database.log]
        return [event for event in events if isinstance(event, RouteMeasured | WeatherObserved)]

    def later(self, **delay: float) -> None:
        self.now += timedelta(**delay)
        self.runner.run()


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.register()
    return desk


ROUTE = RouteMeasured(occurred_at=LEFT, distance_km=1050.5, duration_minutes=620.0, provider="roads")
WEATHER = WeatherObserved(
    occurred_at=LEFT,
    observed_at=LEFT,
    provider="station",
    temperature_c=3.5,
    precipitation_mm=None,
    wind_speed_kmh=12.0,
    weather_code=61,
)


def test_route_and_weather_of_a_dispatched_shipment_are_kept_as_events(desk: Desk) -> None:
    desk.dispatch()
    desk.runner.run()
    assert desk.kept() == [WEATHER, ROUTE]
    assert desk.outside.asked == [(BERLIN, LEFT), ("Paris", "FR"), (BERLIN, PARIS)]


def test_nobody_is_asked_again_when_the_log_is_run_through_again(desk: Desk) -> None:
    desk.dispatch()
    desk.runner.run()
    desk.outside.asked.clear()
    del desk.database.tracking["enrichment"]
    desk.restart()
    assert desk.runner.run() > 0
    assert (len(desk.kept()), desk.outside.asked) == (2, [])


def test_where_all_is_known_nobody_is_asked_where_the_location_is_either() -> None:
    desk = Desk()
    tell(desk.store, RegisterLocation(location_id="main", occurred_at=NOON, name="Main", city="Paris"))
    desk.dispatch()
    desk.runner.run()
    assert len(desk.kept()) == 2
    desk.outside.asked.clear()
    del desk.database.tracking["enrichment"]
    desk.restart()
    assert (desk.runner.run() > 0, desk.outside.asked) == (True, [])


def test_what_the_source_measured_is_not_asked_for(desk: Desk) -> None:
    desk.dispatch()
    tell(
        desk.store,
        RecordRoute(shipment_id="S", occurred_at=LEFT, distance_km=1.0, duration_minutes=None, provider="carrier"),
    )
    desk.runner.run()
    assert desk.outside.asked == [(BERLIN, LEFT)]


def test_weather_that_nobody_knows_stays_unknown(desk: Desk) -> None:
    desk.outside.weather = None
    desk.dispatch()
    desk.runner.run()
    assert (desk.kept(), desk.cases.cases("enrichment")) == ([ROUTE], [])


def test_a_service_that_is_away_is_asked_later_and_holds_up_no_other_event(desk: Desk) -> None:
    desk.outside.weather_away = ServiceUnavailableError("no answer", retry_after=30)
    desk.dispatch()
    desk.runner.run()
    assert desk.kept() == [ROUTE]
    assert desk.runner.checkpoint() == len(desk.database.log)
    (case,) = desk.cases.cases("enrichment")
    assert (case.status, case.code, case.due_at) == ("waiting", "ServiceUnavailable", LEFT + timedelta(minutes=1))
    desk.later(seconds=59)
    assert len(desk.kept()) == 1
    desk.restart()
    desk.outside.weather_away = None
    desk.later(seconds=1)
    assert (desk.kept(), desk.cases.cases("enrichment")) == ([ROUTE, WEATHER], [])


def test_attempts_are_made_at_growing_distances_and_end_with_the_great_circle(desk: Desk) -> None:
    desk.outside.away = ServiceUnavailableError("no answer")
    desk.dispatch()
    desk.runner.run()
    waits = []
    while cases := desk.cases.cases("enrichment"):
        assert cases[0].due_at is not None
        waits.append(cases[0].due_at - desk.now)
        desk.later(seconds=waits[-1].total_seconds())
    assert waits == [timedelta(minutes=2**n) for n in range(PATIENCE - 1)]
    last = desk.kept()[-1]
    assert isinstance(last, RouteMeasured)
    assert (last.provider, round(last.distance_km), last.duration_minutes) == ("great-circle", 877, None)


def test_where_a_service_does_not_answer_such_questions_the_great_circle_is_kept_at_once(desk: Desk) -> None:
    desk.outside.away = ServiceRefusedError("not there")
    desk.outside.weather_away = ServiceRefusedError("not there")
    desk.dispatch()
    desk.runner.run()
    (route,) = desk.kept()
    assert isinstance(route, RouteMeasured)
    assert route.provider == "great-circle"
    assert [(case.status, case.code) for case in desk.cases.cases("enrichment")] == [("parked", "ServiceRefused")]


def test_a_shipment_from_a_location_that_nobody_registered_waits_for_it() -> None:
    desk = Desk()
    desk.dispatch()
    desk.runner.run()
    assert [case.stream_id for case in desk.cases.cases("enrichment")] == ["location-main"]
    desk.restart()
    desk.register()
    desk.runner.run()
    assert (desk.kept(), desk.cases.cases("enrichment")) == ([WEATHER, ROUTE], [])


def test_no_route_is_kept_where_the_destination_is_unknown(desk: Desk) -> None:
    desk.outside.find = lambda _query, _country=None: None  # type: ignore[method-assign]
    desk.dispatch()
    desk.runner.run()
    assert desk.kept() == [WEATHER]
