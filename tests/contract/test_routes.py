"""What every provider of routes promises, held against each adapter; OSRM is played by a server."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from adapters.http.osrm import OsrmRoutes
from adapters.memory.cache import MemoryCache
from adapters.offline.great_circle import GreatCircleRoutes
from application.ports.routes import RouteProvider
from application.ports.services import Coordinates, ServiceRefusedError, ServiceUnavailableError
from domain.shared.distance import great_circle_km
from domain.shipment.commands import RecordRoute
from domain.shipment.events import RouteMeasured
from domain.shipment.shipment import decide
from domain.shipment.state import Shipment
from tests.web_service import WebService, answer, asking, web_service

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZURICH = Coordinates(47.376899, 8.5417)
GENEVA = Coordinates(46.204399, 6.1432)


def play(handler: BaseHTTPRequestHandler) -> None:
    """Answer as OSRM does, with a road a quarter longer than the great circle, at 60 km/h."""
    path = handler.path.partition("?")[0].rpartition("/")[2]
    (longitude, latitude), (to_longitude, to_latitude) = (map(float, place.split(",")) for place in path.split(";"))
    metres = 1_250 * great_circle_km(latitude, longitude, to_latitude, to_longitude)
    leg = {"steps": [], "distance": metres, "duration": metres * 0.06, "summary": "", "weight": metres * 0.06}
    answer({"code": "Ok", "routes": [{**leg, "legs": [leg], "weight_name": "routability"}], "waypoints": []})(handler)


@pytest.fixture
def web() -> Iterator[WebService]:
    with web_service() as service:
        service.plays(play)
        yield service


@pytest.fixture
def osrm(web: WebService) -> Iterator[OsrmRoutes]:
    with closing(OsrmRoutes(asking(web.url), MemoryCache())) as routes:
        yield routes


@pytest.fixture(params=["great-circle", "osrm"])
def routes(request: pytest.FixtureRequest) -> RouteProvider:
    provider: RouteProvider = (
        GreatCircleRoutes() if request.param == "great-circle" else request.getfixturevalue("osrm")
    )
    return provider


def test_a_route_says_who_measured_it_and_can_be_recorded(routes: RouteProvider) -> None:
    route = routes.between(ZURICH, GENEVA)
    assert route is not None
    assert route.attribution
    assert route.provider == ("great-circle" if isinstance(routes, GreatCircleRoutes) else "osrm")
    command = RecordRoute(
        shipment_id="s1",
        occurred_at=NOW,
        distance_km=route.distance_km,
        duration_minutes=route.duration_minutes,
        provider=route.provider,
    )
    [event] = decide(Shipment("s1", ()), command)
    assert isinstance(event, RouteMeasured)
    assert (event.distance_km, event.duration_minutes) == (route.distance_km, route.duration_minutes)


@pytest.mark.parametrize(("origin", "destination"), [(ZURICH, GENEVA), (GENEVA, ZURICH), (ZURICH, ZURICH)])
def test_no_route_is_shorter_than_the_great_circle(
    routes: RouteProvider, origin: Coordinates, destination: Coordinates
) -> None:
    route = routes.between(origin, destination)
    assert route is not None
    assert route.distance_km >= round(great_circle_km(*origin, *destination), 3)


def test_it_says_that_it_answers(routes: RouteProvider) -> None:
    routes.probe()


@pytest.mark.parametrize(
    ("origin", "destination", "kilometres"),
    [
        (Coordinates(0, 0), Coordinates(0, 180), 20_015.115),
        (Coordinates(90, 0), Coordinates(-90, 77), 20_015.115),
        (Coordinates(0, 179.5), Coordinates(0, -179.5), 111.195),
        (Coordinates(36.12, -86.67), Coordinates(33.94, -118.4), 2_886.448),
    ],
)
def test_the_great_circle_is_computed_and_says_so(
    origin: Coordinates, destination: Coordinates, kilometres: float
) -> None:
    route = GreatCircleRoutes().between(origin, destination)
    assert route.distance_km == pytest.approx(kilometres, abs=0.002)
    assert route.provider == "great-circle"
    assert "no road" in route.attribution
    assert route.duration_minutes is None


def test_osrm_is_asked_with_the_longitude_first_and_to_ten_metres(osrm: OsrmRoutes, web: WebService) -> None:
    osrm.between(ZURICH, GENEVA)
    assert web.asked[0].path == "/route/v1/driving/8.5417,47.3769;6.1432,46.2044"


def test_a_place_far_from_any_road_has_no_route_rather_than_one_from_elsewhere(
    osrm: OsrmRoutes, web: WebService
) -> None:
    osrm.between(ZURICH, GENEVA)
    assert web.asked[0].parameters["radiuses"] == "20000;20000"
    web.plays(answer({"code": "NoSegment", "message": "Could not find a matching segment for coordinate 0"}, 400))
    assert osrm.between(Coordinates(0, -30), GENEVA) is None


def test_the_same_question_is_asked_once_also_when_there_is_no_route(osrm: OsrmRoutes, web: WebService) -> None:
    assert osrm.between(ZURICH, GENEVA) == osrm.between(ZURICH, GENEVA)
    web.plays(answer({"code": "NoRoute", "message": "Impossible route between points"}, 400))
    assert [osrm.between(GENEVA, ZURICH) for _ in range(2)] == [None, None]
    assert len(web.asked) == 2


def test_a_server_that_fails_says_so(osrm: OsrmRoutes, web: WebService) -> None:
    web.plays(answer({"code": "InternalError", "message": "no map is loaded"}, 500))
    with pytest.raises(ServiceUnavailableError, match="no map is loaded"):
        osrm.probe()


def test_what_the_provider_refuses_is_said_in_its_words(osrm: OsrmRoutes, web: WebService) -> None:
    web.plays(answer({"code": "InvalidQuery", "message": "Query string malformed close to position 12"}, 400))
    with pytest.raises(ServiceRefusedError, match="InvalidQuery Query string malformed"):
        osrm.between(ZURICH, GENEVA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "Ok", "routes": []},
        {"code": "Ok", "routes": [{"distance": -1, "duration": 1}]},
        {"code": "Ok", "routes": [{"distance": "far", "duration": 1}]},
        {"code": "Ok", "routes": [{"distance": 1}]},
        {"routes": [{"distance": 1, "duration": 1}]},
    ],
)
def test_an_answer_that_cannot_be_true_is_none(osrm: OsrmRoutes, web: WebService, wrong: dict[str, Any]) -> None:
    web.plays(answer(wrong))
    with pytest.raises(ServiceUnavailableError, match="can't be understood"):
        osrm.between(ZURICH, GENEVA)
    web.plays(play)
    assert osrm.between(ZURICH, GENEVA) is not None
