"""Weather of the past from Open-Meteo: recent hours from its forecast models, older ones from its archive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec.json import Decoder

from adapters.http.answer import Answer
from adapters.http.limits import Limit
from adapters.http.open_meteo_answer import (
    PRECIPITATION,
    TEMPERATURE,
    WEATHER_CODE,
    WIND_SPEED,
    OpenMeteoAnswer,
    OpenMeteoError,
    read_open_meteo,
)
from adapters.http.service import Service
from application.ports.cache import Cache
from application.ports.services import Coordinates, ServiceRefusedError
from application.ports.weather import Weather
from application.typed_cache import remembered

PROVIDER = "open-meteo"
ATTRIBUTION = "Weather data by Open-Meteo.com, https://open-meteo.com, CC BY 4.0"
PUBLIC_LIMITS = (Limit(600, 60), Limit(5_000, 3_600), Limit(10_000, 86_400))
"""What the free servers allow, for non-commercial use (https://open-meteo.com/en/terms)."""
COLUMNS = "temperature_2m,precipitation,weather_code,wind_speed_10m"

_WEATHER: Decoder[Weather | None] = Decoder(Weather | None)
HOUR = timedelta(hours=1)
ARCHIVED = timedelta(days=7)
"""The archive (ERA5) is complete up to five days ago; two more to be sure."""
FORECAST_KEEPS = timedelta(days=90)
FIRST_DAY = datetime(1940, 1, 1, tzinfo=UTC)
UNCHANGING = timedelta(days=365)
CHANGING = timedelta(hours=1)
PLACES = 2
"""Decimals of a degree, about 1 km: as much as the models tell apart, and no more than must be told."""


class OpenMeteoSources(NamedTuple):
    """The two services: of recent weather, and of past weather if there is one."""

    recent: Service
    archive: Service | None = None


class OpenMeteoWeather:
    """The `WeatherProvider` port on Open-Meteo."""

    def __init__(self, sources: OpenMeteoSources, cache: Cache, now: Callable[[], datetime]) -> None:
        self._sources = sources
        self._cache = cache
        self._now = now

    def at(self, place: Coordinates, when: datetime) -> Weather | None:
        """Return the weather in the hour nearest to `when`, None while it is not past or where it is not known."""
        now = self._now()
        hour = _nearest_hour(when)
        if hour > now and hour > when:
            hour -= HOUR
        if not FIRST_DAY <= hour <= now:
            return None
        archived = self._sources.archive is not None and hour < now - ARCHIVED
        if not archived and hour < now - FORECAST_KEEPS:
            return None
        where = Coordinates(round(place.latitude, PLACES), round(place.longitude, PLACES))
        key = f"weather:1:{where.latitude},{where.longitude}:{hour:%Y-%m-%dT%H}{':archive' if archived else ''}"

        def compute() -> tuple[Weather | None, timedelta]:
            weather = self._ask(where, hour, archived=archived)
            complete = weather is not None and None not in weather
            return weather, UNCHANGING if archived and complete else CHANGING

        return remembered(self._cache, key, _WEATHER, compute)

    def probe(self) -> None:
        """Ask for the weather of Greenwich, yesterday, and of long ago where there is an archive."""
        greenwich, now = Coordinates(51.48, 0.0), self._now()
        self._ask(greenwich, _nearest_hour(now - timedelta(days=1)), archived=False)
        if self._sources.archive is not None:
            self._ask(greenwich, _nearest_hour(now - timedelta(days=30)), archived=True)

    def close(self) -> None:
        """Close the connections."""
        for source in self._sources:
            if source is not None:
                source.close()

    def _ask(self, place: Coordinates, hour: datetime, *, archived: bool) -> Weather | None:
        service = self._sources.archive if archived else self._sources.recent
        assert service is not None
        parameters = {
            "latitude": str(place.latitude),
            "longitude": str(place.longitude),
            "hourly": COLUMNS,
            "start_date": f"{hour:%Y-%m-%d}",
            "end_date": f"{hour:%Y-%m-%d}",
            "timezone": "GMT",
        }
        path = "v1/archive" if archived else "v1/forecast"
        return service.get(path, parameters, lambda answer: weather_at(_accepted(answer), hour))


def weather_at(answer: OpenMeteoAnswer, hour: datetime) -> Weather | None:
    """Return the weather of an hour (in UTC) from an answer; None where it holds nothing about that hour.

    Raises:
        msgspec.ValidationError: columns are missing, or can't be true.
    """
    times = answer.times("hourly")
    if hour not in times:
        return None
    place = times.index(hour)
    temperature = answer.figures("hourly", "temperature_2m", TEMPERATURE)[place]
    precipitation = answer.figures("hourly", "precipitation", PRECIPITATION)[place]
    wind_speed = answer.figures("hourly", "wind_speed_10m", WIND_SPEED)[place]
    code = answer.figures("hourly", "weather_code", WEATHER_CODE)[place]
    if temperature is precipitation is wind_speed is code is None:
        return None
    code = None if code is None else int(code)
    return Weather(hour, PROVIDER, ATTRIBUTION, temperature, precipitation, wind_speed, code)


def _accepted(answer: Answer) -> OpenMeteoAnswer:
    read = read_open_meteo(answer.body)
    if isinstance(read, OpenMeteoError):
        raise ServiceRefusedError(f"{PROVIDER} refuses the question: {read.reason}")
    return read


def _nearest_hour(when: datetime) -> datetime:
    moved = when.astimezone(UTC) + HOUR / 2
    return moved.replace(minute=0, second=0, microsecond=0)
