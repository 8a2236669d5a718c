"""What every provider of weather promises, held against each adapter; Open-Meteo is played by a server."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from typing import Any
from unittest.mock import ANY
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.http.open_meteo import OpenMeteoSources, OpenMeteoWeather
from adapters.memory.cache import MemoryCache
from adapters.offline.unknown import UnknownWeather
from application.ports.cache import Fresh
from application.ports.services import Coordinates, ServiceRefusedError, ServiceUnavailableError
from application.ports.weather import Weather, WeatherProvider
from domain.shipment.commands import RecordWeather
from domain.shipment.events import WeatherObserved
from domain.shipment.shipment import decide
from domain.shipment.state import Shipment
from tests.web_service import WebService, answer, asking, web_service

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
BERLIN = Coordinates(52.5170798, 13.3975116)
UNITS = {
    "time": "iso8601",
    "temperature_2m": "°C",
    "precipitation": "mm",
    "wind_speed_10m": "km/h",
    "weather_code": "wmo code",
}
HOURS = {
    "time": ["2026-11-23T12:00"],
    "temperature_2m": [1.0],
    "precipitation": [0.0],
    "wind_speed_10m": [2.0],
    "weather_code": [3],
}
WELL = {
    "latitude": 52.5,
    "longitude": 13.5,
    "utc_offset_seconds": 0,
    "timezone": "GMT",
    "hourly_units": UNITS,
    "hourly": HOURS,
}


def play(handler: BaseHTTPRequestHandler) -> None:
    """Answer as Open-Meteo does: the hours of a day, from the next point of its grid; hour 5 is missing."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
    hours = range(24)

    def column(step: float) -> list[float | None]:
        return [None if hour == 5 else hour * step for hour in hours]

    body = {
        "latitude": round(float(asked["latitude"]) * 4) / 4,
        "longitude": round(float(asked["longitude"]) * 4) / 4,
        "generationtime_ms": 0.1,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "timezone_abbreviation": "GMT",
        "elevation": 38.0,
        "hourly_units": UNITS,
        "hourly": {
            "time": [f"{asked['start_date']}T{hour:02}:00" for hour in hours],
            "temperature_2m": column(0.5),
            "precipitation": column(0.1),
            "weather_code": column(1),
            "wind_speed_10m": column(1.5),
        },
    }
    answer(body)(handler)


@pytest.fixture
def web() -> Iterator[WebService]:
    with web_service() as service:
        service.plays(play)
        yield service


@pytest.fixture
def open_meteo(web: WebService) -> Iterator[OpenMeteoWeather]:
    sources = OpenMeteoSources(asking(f"{web.url}/recent"), asking(f"{web.url}/archive"))
    with closing(OpenMeteoWeather(sources, MemoryCache(), lambda: NOW)) as weather:
        yield weather


@pytest.fixture(params=["unknown", "open-meteo"])
def weather(request: pytest.FixtureRequest) -> WeatherProvider:
    provider: WeatherProvider = (
        UnknownWeather() if request.param == "unknown" else request.getfixturevalue("open_meteo")
    )
    return provider


def recorded(found: Weather) -> WeatherObserved:
    """The event that the domain makes of it."""
    command = RecordWeather(
        shipment_id="s1",
        occurred_at=NOW,
        observed_at=found.observed_at,
        provider=found.provider,
        temperature_c=found.temperature_c,
        precipitation_mm=found.precipitation_mm,
        wind_speed_kmh=found.wind_speed_kmh,
        weather_code=found.weather_code,
    )
    [event] = decide(Shipment("s1", ()), command)
    assert isinstance(event, WeatherObserved)
    return event


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(hours=1), timedelta(days=3), timedelta(days=400)])
def test_what_is_known_is_attributed_and_can_be_recorded(weather: WeatherProvider, ago: timedelta) -> None:
    found = weather.at(BERLIN, NOW - ago)
    if isinstance(weather, UnknownWeather):
        assert found is None
        return
    assert found is not None
    assert found.attribution
    assert recorded(found).provider == found.provider
    assert found.observed_at.utcoffset() == timedelta(0)
    assert abs(found.observed_at - (NOW - ago)) <= timedelta(minutes=30)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=300)])
def test_what_is_not_past_is_not_known(weather: WeatherProvider, ahead: timedelta) -> None:
    assert weather.at(BERLIN, NOW + ahead) is None


def test_it_says_that_it_answers(weather: WeatherProvider) -> None:
    weather.probe()


def test_the_hour_is_that_of_the_moment_whatever_its_offset(open_meteo: OpenMeteoWeather, web: WebService) -> None:
    evening = datetime(2026, 11, 20, 22, 40, tzinfo=timezone(-timedelta(hours=3, minutes=30)))
    found = open_meteo.at(BERLIN, evening)
    assert found is not None
    assert found[0] == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert found[3:] == (1.0, 0.2, 3.0, 2)
    assert web.asked[0].parameters["start_date"] == "2026-11-21"


def test_the_hour_is_never_one_to_come(open_meteo: OpenMeteoWeather) -> None:
    soon = OpenMeteoWeather(open_meteo._sources, MemoryCache(), lambda: NOW.replace(minute=50))
    found = soon.at(BERLIN, NOW.replace(minute=45))
    assert found is not None
    assert found.observed_at.hour == 12


def test_recent_weather_comes_from_the_forecast_models_and_old_weather_from_the_archive(
    open_meteo: OpenMeteoWeather, web: WebService
) -> None:
    for days in (1, 6, 8, 20_000):
        assert open_meteo.at(BERLIN, NOW - timedelta(days=days)) is not None
    paths = [asked.path for asked in web.asked]
    assert paths == ["/recent/v1/forecast"] * 2 + ["/archive/v1/archive"] * 2
    assert open_meteo.at(BERLIN, datetime(1939, 12, 31, tzinfo=UTC)) is None
    assert len(web.asked) == 4


def test_without_an_archive_old_weather_is_not_known(web: WebService) -> None:
    with closing(OpenMeteoWeather(OpenMeteoSources(asking(web.url)), MemoryCache(), lambda: NOW)) as weather:
        weather.probe()
        assert weather.at(BERLIN, NOW - timedelta(days=89)) is not None
        assert weather.at(BERLIN, NOW - timedelta(days=91)) is None


def test_nobody_is_told_more_than_a_place_to_the_kilometre_and_a_day(
    open_meteo: OpenMeteoWeather, web: WebService
) -> None:
    open_meteo.at(BERLIN, NOW - timedelta(days=1))
    told = web.asked[0].parameters
    assert (told["latitude"], told["longitude"]) == ("52.52", "13.4")
    assert told["start_date"] == told["end_date"] == "2026-11-22"


def test_an_hour_without_any_figure_is_not_known(open_meteo: OpenMeteoWeather) -> None:
    assert open_meteo.at(BERLIN, NOW.replace(hour=5)) is None


def test_the_past_is_asked_for_once_and_gaps_again(web: WebService) -> None:
    kept: dict[str, timedelta] = {}

    class Watched(MemoryCache):
        def remember(self, key: str, compute: Callable[[], Fresh]) -> bytes:
            fresh = compute()
            kept[key] = fresh.lifetime
            return super().remember(key, lambda: fresh)

    sources = OpenMeteoSources(asking(web.url), asking(web.url))
    with closing(OpenMeteoWeather(sources, Watched(), lambda: NOW)) as weather:
        weather.at(BERLIN, NOW - timedelta(days=30))
        weather.at(BERLIN, (NOW - timedelta(days=30)).replace(hour=5))
        weather.at(BERLIN, NOW - timedelta(days=1))
    assert [lifetime.days for lifetime in kept.values()] == [365, 0, 0]


def test_the_same_question_is_asked_once(open_meteo: OpenMeteoWeather, web: WebService) -> None:
    answers = {open_meteo.at(place, NOW) for place in (BERLIN, Coordinates(52.518, 13.396))}
    assert len(answers) == 1
    assert len(web.asked) == 1


def test_what_the_provider_refuses_is_said_in_its_words(open_meteo: OpenMeteoWeather, web: WebService) -> None:
    web.plays(answer({"error": True, "reason": "Latitude must be in range of -90 to 90°. Given: 91.0."}, 400))
    with pytest.raises(ServiceRefusedError, match="Latitude must be in range"):
        open_meteo.at(Coordinates(91, 0), NOW)


WRONG: dict[str, dict[str, Any]] = {
    "another unit": {"hourly_units": {**UNITS, "temperature_2m": "°F"}},
    "a missing column": {"hourly": {"time": ["2026-11-23T12:00"], "temperature_2m": [1.0]}},
    "a short column": {"hourly": {**HOURS, "precipitation": []}},
    "no times": {"hourly": {"temperature_2m": []}},
    "times that are none": {"hourly": {**HOURS, "time": ["noon"]}},
    "an impossible temperature": {"hourly": {**HOURS, "temperature_2m": [9_999.0]}},
    "a code that is none": {"hourly": {**HOURS, "weather_code": ["rain"]}},
    "a place that is none": {"latitude": 520.0},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_an_answer_that_cannot_be_true_is_none(
    open_meteo: OpenMeteoWeather, web: WebService, wrong: dict[str, Any]
) -> None:
    web.plays(answer({**WELL, **wrong}))
    with pytest.raises(ServiceUnavailableError, match="can't be understood"):
        open_meteo.at(BERLIN, NOW)
    web.plays(answer(WELL))
    assert open_meteo.at(BERLIN, NOW) == (NOW.replace(minute=0), "open-meteo", ANY, 1.0, 0.0, 2.0, 3)
