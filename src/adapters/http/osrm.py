"""Routes by road from OSRM."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder

from adapters.http.answer import Answer
from adapters.http.limits import Limit
from adapters.http.service import Service
from application.ports.cache import Cache
from application.ports.routes import Route
from application.ports.services import Coordinates, ServiceRefusedError
from application.typed_cache import remembered

PROVIDER = "osrm"
ATTRIBUTION = "Route by OSRM, data © OpenStreetMap contributors, ODbL 1.0, https://www.openstreetmap.org/copyright"
PUBLIC_LIMITS = (Limit(1, 1.0),)
"""What the public servers allow: one request a second, no heavy use (the wiki of osrm-backend, "Api usage policy")."""
NO_ROUTE = ("NoRoute", "NoSegment")
FROM_ROAD_METRES = 20_000
"""How far from a road a place may be; a map that ends before it would give the route to its border instead."""

FOUND_FOR = timedelta(days=14)
NONE_FOR = timedelta(days=1)
PLACES = 4
"""Decimals of a degree, about 11 m."""

_ROUTE: Decoder[Route | None] = Decoder(Route | None)
Metres = Annotated[float, Meta(ge=0, le=100_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=100_000_000)]


class OsrmRoute(Struct):
    """A route: metres and seconds."""

    distance: Metres
    duration: Seconds


class OsrmAnswer(Struct):
    """An answer or error: `code` says which, `routes` are the best first."""

    code: str
    message: str = ""
    routes: list[OsrmRoute] = []


class OsrmRoutes:
    """The `RouteProvider` port on OSRM's route service, for cars."""

    def __init__(self, service: Service, cache: Cache) -> None:
        self._service = service
        self._cache = cache

    def between(self, origin: Coordinates, destination: Coordinates) -> Route | None:
        """Return the fastest route by road; None where there is no road, or none that joins the two."""
        path = _path(origin, destination)
        return remembered(self._cache, f"route:1:{path}", _ROUTE, lambda: _kept(self._ask(path)))

    def probe(self) -> None:
        """Ask for a route of no length, which a server of any map answers."""
        self._ask(_path(Coordinates(0.0, 0.0), Coordinates(0.0, 0.0)))

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _ask(self, path: str) -> Route | None:
        parameters = {"overview": "false", "radiuses": f"{FROM_ROAD_METRES};{FROM_ROAD_METRES}"}
        return self._service.get(f"route/v1/driving/{path}", parameters, read_route)


def read_route(answer: Answer) -> Route | None:
    """Return the first route of an answer, None for the error that says there is none.

    Raises:
        ServiceRefusedError: any other error.
        msgspec.DecodeError: no answer of OSRM.
    """
    read = msgspec.json.decode(answer.body, type=OsrmAnswer)
    if read.code in NO_ROUTE:
        return None
    if read.code != "Ok":
        raise ServiceRefusedError(f"{PROVIDER} refuses the question: {read.code} {read.message}".rstrip())
    if not read.routes:
        raise msgspec.ValidationError("the answer is Ok, and without a route")
    best = read.routes[0]
    return Route(round(best.distance / 1000, 4), round(best.duration / 60, 4), PROVIDER, ATTRIBUTION)


def _kept(route: Route | None) -> tuple[Route | None, timedelta]:
    return route, NONE_FOR if route is None else FOUND_FOR


def _path(origin: Coordinates, destination: Coordinates) -> str:
    """OSRM wants the longitude first."""
    return ";".join(f"{place.longitude:.{PLACES}f},{place.latitude:.{PLACES}f}" for place in (origin, destination))
