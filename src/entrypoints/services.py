"""Which adapters stand behind cache, weather, routes and places: real ones where an address is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.memory.cache import MemoryCache
from adapters.offline.great_circle import GreatCircleRoutes
from adapters.offline.unknown import UnknownPlaces, UnknownWeather
from application.ports.analytics import Analytics
from application.ports.cache import Cache
from application.ports.geocoder import Geocoder
from application.ports.routes import RouteProvider
from application.ports.weather import WeatherProvider
from application.queries.cached import cached
from entrypoints.settings import Settings, SettingsError

if TYPE_CHECKING:
    from adapters.http.limits import Limit, RateLimit
    from adapters.http.service import Service

Now = Callable[[], datetime]


def open_cache(settings: Settings) -> Iterator[Cache]:
    """Give the cache in Redis where its address is set, else one in this process; the client is an extra."""
    if settings.redis_url is None:
        yield MemoryCache()
        return
    with _extra("redis", "DATAFLOW_REDIS_URL"):
        from adapters.redis.cache import RedisCache  # noqa: PLC0415
    with closing(RedisCache(settings.redis_url, settings.cache_namespace)) as cache:
        yield cache


def open_weather(settings: Settings, cache: Cache, now: Now) -> Iterator[WeatherProvider]:
    """Give Open-Meteo where its address is set; else the weather is unknown."""
    if settings.weather_url is None:
        yield UnknownWeather()
        return
    with _extra("http", "DATAFLOW_WEATHER_URL"):
        from adapters.http.open_meteo import PUBLIC_LIMITS, OpenMeteoSources, OpenMeteoWeather  # noqa: PLC0415

    limit = _limit(settings.weather_per_second, PUBLIC_LIMITS)
    recent = _service("open-meteo", settings.weather_url, limit, settings)
    url = settings.weather_archive_url
    archive = None if url is None else _service("open-meteo's archive", url, limit, settings)
    with closing(OpenMeteoWeather(OpenMeteoSources(recent, archive), cache, now)) as weather:
        yield weather


def open_routes(settings: Settings, cache: Cache) -> Iterator[RouteProvider]:
    """Give OSRM where its address is set, else the great circle."""
    if settings.routes_url is None:
        yield GreatCircleRoutes()
        return
    with _extra("http", "DATAFLOW_ROUTES_URL"):
        from adapters.http.osrm import PUBLIC_LIMITS, OsrmRoutes  # noqa: PLC0415

    service = _service("osrm", settings.routes_url, _limit(settings.routes_per_second, PUBLIC_LIMITS), settings)
    with closing(OsrmRoutes(service, cache)) as routes:
        yield routes


def open_places(settings: Settings, cache: Cache) -> Iterator[Geocoder]:
    """Give Nominatim where its address is set; else places are unknown."""
    if settings.places_url is None:
        yield UnknownPlaces()
        return
    with _extra("http", "DATAFLOW_PLACES_URL"):
        from adapters.http.nominatim import PUBLIC_LIMITS, NominatimGeocoder  # noqa: PLC0415

    service = _service("nominatim", settings.places_url, _limit(settings.places_per_second, PUBLIC_LIMITS), settings)
    with closing(NominatimGeocoder(service, cache)) as places:
        yield places


def analytics_for(
    settings: Settings, analytics: Analytics, cache: Callable[[], Cache], revision: Callable[[], str]
) -> Analytics:
    """Keep figures in the cache where processes share one; alone, a process has little use for its own."""
    return analytics if settings.redis_url is None else cached(analytics, cache(), revision)


@contextmanager
def _extra(name: str, variable: str) -> Iterator[None]:
    """Say which extra is missing where an import fails."""
    try:
        yield
    except ImportError as error:
        raise SettingsError(f"{variable} is set, but the extra {name!r} is not installed") from error


def _service(name: str, url: str, limit: RateLimit, settings: Settings) -> Service:
    from adapters.http.service import Service  # noqa: PLC0415

    return Service(name, url, limit, settings.contact)


def _limit(per_second: int | None, public: Sequence[Limit]) -> RateLimit:
    """Return the public service's limits, unless the operator of this platform knows better."""
    from adapters.http.limits import Limit, RateLimit  # noqa: PLC0415

    return RateLimit(public if per_second is None else (Limit(per_second, 1.0),))
