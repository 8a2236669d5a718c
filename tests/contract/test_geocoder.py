"""What every geocoder promises, held against each adapter; Nominatim is played by a server."""

from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.http.nominatim import PUBLIC_LIMITS, NominatimGeocoder
from adapters.memory.cache import MemoryCache
from adapters.offline.unknown import UnknownPlaces
from application.ports.geocoder import Box, Geocoder, Place
from application.ports.services import Coordinates, ServiceRefusedError, ServiceUnavailableError
from tests.web_service import Time, WebService, answer, asking, web_service

BERLIN = {
    "place_id": 1,
    "licence": "Data © OpenStreetMap contributors, ODbL 1.0. https://osm.org/copyright",
    "lat": "52.5170365",
    "lon": "13.3888599",
    "display_name": "Berlin, Deutschland",
    "boundingbox": ["52.3382448", "52.6755087", "13.0883450", "13.7611609"],
}


def play(handler: BaseHTTPRequestHandler) -> None:
    """Answer as Nominatim does, knowing one place."""
    parts = urlsplit(handler.path)
    asked = parse_qs(parts.query)
    if parts.path.endswith("/status"):
        answer({"status": 0, "message": "OK", "software_version": "5.1.0"})(handler)
        return
    known = asked["q"] == ["Berlin"] and asked.get("countrycodes", ["de"]) == ["de"]
    answer([BERLIN] if known else [])(handler)


@pytest.fixture
def web() -> Iterator[WebService]:
    with web_service() as service:
        service.plays(play)
        yield service


@pytest.fixture
def nominatim(web: WebService) -> Iterator[NominatimGeocoder]:
    with closing(NominatimGeocoder(asking(web.url), MemoryCache())) as geocoder:
        yield geocoder


@pytest.fixture(params=["unknown", "nominatim"])
def geocoder(request: pytest.FixtureRequest) -> Geocoder:
    provider: Geocoder = UnknownPlaces() if request.param == "unknown" else request.getfixturevalue("nominatim")
    return provider


def test_a_place_that_is_found_is_on_earth_within_its_box_and_attributed(geocoder: Geocoder) -> None:
    place = geocoder.find("Berlin", "DE")
    if isinstance(geocoder, UnknownPlaces):
        assert place is None
        return
    assert place is not None
    assert place.box is not None
    assert place.box.south <= place.centre.latitude <= place.box.north
    assert place.box.west <= place.centre.longitude <= place.box.east
    assert place.name
    assert "OpenStreetMap" in place.attribution


def test_what_is_not_found_is_not_known(geocoder: Geocoder) -> None:
    assert geocoder.find("Nowhere at all") is None
    assert geocoder.find("Berlin", "FR") is None


def test_it_says_that_it_answers(geocoder: Geocoder) -> None:
    geocoder.probe()


def test_strings_become_numbers_and_the_box_its_sides(nominatim: NominatimGeocoder) -> None:
    assert nominatim.find("Berlin") == Place(
        Coordinates(52.5170365, 13.3888599),
        Box(52.3382448, 13.088345, 52.6755087, 13.7611609),
        "Berlin, Deutschland",
        "nominatim",
        "Data © OpenStreetMap contributors, ODbL 1.0. https://osm.org/copyright",
    )


def test_the_same_question_is_asked_once_also_in_other_spacing_and_when_nothing_is_found(
    nominatim: NominatimGeocoder, web: WebService
) -> None:
    assert nominatim.find(" Berlin ") == nominatim.find("Berlin") is not None
    assert [nominatim.find("Nowhere  at all"), nominatim.find("Nowhere at all")] == [None, None]
    assert len(web.asked) == 2


def test_the_public_server_is_asked_once_a_second_by_a_program_that_names_itself(web: WebService) -> None:
    time = Time()
    with closing(NominatimGeocoder(asking(web.url, PUBLIC_LIMITS, time), MemoryCache())) as geocoder:
        for number in range(4):
            geocoder.find(f"place {number}")
            assert time.now == number
    assert all("dataflow-platform/" in asked.headers["User-Agent"] for asked in web.asked)


def test_a_server_that_is_not_well_says_so(nominatim: NominatimGeocoder, web: WebService) -> None:
    web.plays(answer({"status": 700, "message": "Database connection failed"}))
    with pytest.raises(ServiceUnavailableError, match="Database connection failed"):
        nominatim.probe()


def test_what_the_provider_refuses_is_said(nominatim: NominatimGeocoder, web: WebService) -> None:
    web.plays(answer({"error": {"code": 400, "message": "Nothing to search for."}}, 400))
    with pytest.raises(ServiceRefusedError):
        nominatim.find("")


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "FeatureCollection", "features": []},
        [{**BERLIN, "lat": "north"}],
        [{**BERLIN, "lat": "91"}],
        [{**BERLIN, "lon": "nan"}],
        [{**BERLIN, "boundingbox": ["52", "53"]}],
        [{"lat": "52", "lon": "13"}],
    ],
)
def test_an_answer_that_cannot_be_true_is_none(nominatim: NominatimGeocoder, web: WebService, wrong: Any) -> None:
    web.plays(answer(wrong))
    with pytest.raises(ServiceUnavailableError, match="can't be understood"):
        nominatim.find("Berlin")
    web.plays(play)
    assert nominatim.find("Berlin") is not None
