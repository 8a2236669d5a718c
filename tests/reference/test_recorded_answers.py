"""Answers of Open-Meteo, OSRM and Nominatim as they were recorded: each is read to the last digit."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.http.answer import Answer
from adapters.http.nominatim import read_places
from adapters.http.open_meteo_answer import (
    PRECIPITATION,
    TEMPERATURE,
    WEATHER_CODE,
    WIND_SPEED,
    OpenMeteoAnswer,
    OpenMeteoError,
    read_open_meteo,
)
from adapters.http.osrm import read_route
from application.ports.geocoder import Box
from application.ports.services import Coordinates, ServiceRefusedError

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATAFLOW_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "api_samples"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason=f"reference data absent: no {DATA} (DATAFLOW_REFERENCE_DATA names another folder)",
)


def recorded(name: str) -> bytes:
    return (DATA / name).read_bytes()


def sample(name: str) -> Any:
    return json.loads(recorded(name))


def open_meteo(body: bytes) -> OpenMeteoAnswer:
    read = read_open_meteo(body)
    assert isinstance(read, OpenMeteoAnswer)
    return read


def places(body: Any) -> list[Any]:
    return list(read_places(Answer(200, json.dumps(body).encode())))


def test_hours_of_2024_in_the_names_of_today() -> None:
    read = open_meteo(recorded("open_meteo_forecast_zagreb_current_hourly_2024.json"))
    times, temperatures = read.times("hourly"), read.figures("hourly", "temperature_2m", TEMPERATURE)
    assert times == [datetime(2024, 7, 9, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24)]
    assert dict(zip(times, temperatures, strict=True))[datetime(2024, 7, 9, 15, tzinfo=UTC)] == 34.2
    assert (temperatures[0], temperatures[-1]) == (25.5, 27.4)
    with pytest.raises(msgspec.ValidationError, match="no column precipitation"):
        read.figures("hourly", "precipitation", PRECIPITATION)


def test_days_of_2023_in_the_names_of_then_begin_at_midnight_of_their_zone() -> None:
    read = open_meteo(recorded("open_meteo_forecast_berlin_daily_2023.json"))
    assert (read.latitude, read.longitude) == (52.52, 13.419998)
    assert read.times("daily")[0] == datetime(2023, 5, 31, 22, tzinfo=UTC)
    assert read.figures("daily", "weather_code", WEATHER_CODE) == [3, 3, 2, 2, 2, 1, 2]
    assert read.figures("daily", "wind_speed_10m_max", WIND_SPEED) == [14.8, 17.6, 9.2, 7.3, 10.8, 9.3, 6.7]


def test_the_archive_answers_from_the_next_point_of_its_grid() -> None:
    for each in sample("open_meteo_archive_era5_recorded.json")["responses"][:2]:
        read = open_meteo(json.dumps(each["body"]).encode())
        assert abs(read.latitude - each["request"]["latitude"]) <= 0.125
        assert abs(read.longitude - each["request"]["longitude"]) <= 0.125
        daily = each["body"]["daily"]
        assert read.times("daily")[0] == datetime(2025, 1, 15, tzinfo=UTC)
        assert read.figures("daily", "temperature_2m_max", TEMPERATURE) == daily["temperature_2m_max"]
        assert read.figures("daily", "precipitation_sum", PRECIPITATION) == daily["precipitation_sum"]


def test_degrees_fahrenheit_are_not_taken_for_celsius() -> None:
    fahrenheit, celsius = (each["body"] for each in sample("open_meteo_archive_era5_recorded.json")["responses"][2:])
    with pytest.raises(msgspec.ValidationError, match="'°F' instead of '°C'"):
        open_meteo(json.dumps(fahrenheit).encode()).figures("daily", "temperature_2m_mean", TEMPERATURE)
    read = open_meteo(json.dumps(celsius).encode())
    assert read.figures("daily", "temperature_2m_mean", TEMPERATURE) == [7.8, 8.0, 8.0]


def test_an_error_of_open_meteo_gives_its_reason() -> None:
    read = read_open_meteo(recorded("open_meteo_error.json"))
    assert read == OpenMeteoError(error=True, reason="Hourly API request limit exceeded")


def test_a_route_of_osrm_in_kilometres_and_minutes() -> None:
    route = read_route(Answer(200, recorded("osrm_route_zurich_geneva.json")))
    assert route is not None
    assert (route.distance_km, route.duration_minutes, route.provider) == (276.5089, 191.295, "osrm")


def test_the_route_of_osrms_documentation() -> None:
    documented = sample("osrm_docs_examples.json")
    body = {**documented["responses"][0], "routes": documented["route_object"]}
    route = read_route(Answer(200, json.dumps(body).encode()))
    assert route is not None
    assert (route.distance_km, route.duration_minutes) == (0.09, 5.0)


def test_no_route_is_none() -> None:
    assert read_route(Answer(400, recorded("osrm_error_noroute.json"))) is None


def test_answers_of_nominatim_in_both_forms_of_its_numbers() -> None:
    documented = sample("nominatim_docs_examples.json")
    [house], [bakery] = (places(answer) for answer in documented["search"][:2])
    assert house.centre == Coordinates(52.51720765, 13.397834399325466)
    assert house.box == Box(52.5170798, 13.3975116, 52.5173311, 13.3981577)
    assert bakery.name.startswith("Ditsch, Lindower Straße")
    assert bakery.attribution == "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright"
    [gate] = places(documented["lookup"][0])
    assert gate.centre == Coordinates(52.399550700000006, 13.048066846939687)
    [motorway] = places(documented["reverse"][:1])
    assert motorway.centre == Coordinates(-34.4391708, -58.7064573)
    assert motorway.box == Box(-34.44159, -58.7086067, -34.4370994, -58.7044712)


def test_collections_of_features_are_not_taken_for_places() -> None:
    for collection in sample("nominatim_docs_examples.json")["search"][2:]:
        with pytest.raises(msgspec.ValidationError):
            places(collection)


def test_an_error_of_nominatim_is_refused() -> None:
    with pytest.raises(ServiceRefusedError):
        read_places(Answer(400, json.dumps({"error": {"code": 400, "message": "Bad request"}}).encode()))
