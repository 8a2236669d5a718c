"""Places by name from Nominatim."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder

from adapters.http.answer import Answer
from adapters.http.limits import Limit
from adapters.http.service import Service
from application.ports.cache import Cache
from application.ports.geocoder import Box, Place
from application.ports.services import Coordinates, ServiceRefusedError, ServiceUnavailableError
from application.typed_cache import remembered

PROVIDER = "nominatim"
ATTRIBUTION = "Data © OpenStreetMap contributors, ODbL 1.0, https://www.openstreetmap.org/copyright"
PUBLIC_LIMITS = (Limit(1, 1.0),)
"""What the public server allows: https://operations.osmfoundation.org/policies/nominatim/."""

FOUND_FOR = timedelta(days=30)
NONE_FOR = timedelta(days=1)

_PLACE: Decoder[Place | None] = Decoder(Place | None)
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class NominatimPlace(Struct):
    """A match; numbers come as strings, the box as south, north, west, east."""

    lat: Latitude
    lon: Longitude
    display_name: str
    boundingbox: tuple[Latitude, Latitude, Longitude, Longitude] | None = None
    licence: str = ATTRIBUTION


class NominatimStatus(Struct):
    """How the server is: 0 is well."""

    status: int
    message: str = ""


class NominatimGeocoder:
    """The `Geocoder` port on Nominatim's search."""

    def __init__(self, service: Service, cache: Cache) -> None:
        self._service = service
        self._cache = cache

    def find(self, query: str, country: str | None = None) -> Place | None:
        """Return the best match; what was asked for is kept as a hash only, and in the answer."""
        asked = " ".join(query.split())
        parameters = {"q": asked, "format": "jsonv2", "limit": "1"}
        if country is not None:
            parameters["countrycodes"] = country.lower()
        key = "place:1:" + sha256(msgspec.json.encode(parameters)).hexdigest()
        return remembered(self._cache, key, _PLACE, lambda: _kept(self._ask(parameters)))

    def probe(self) -> None:
        """Ask the server how it is."""
        status = self._service.get("status", {"format": "json"}, _read_status)
        if status.status:
            raise ServiceUnavailableError(f"{PROVIDER} is not well: {status.message}")

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _ask(self, parameters: dict[str, str]) -> Place | None:
        return self._service.get("search", parameters, lambda answer: next(iter(read_places(answer)), None))


def read_places(answer: Answer) -> list[Place]:
    """Return the matches of an answer, the best first.

    Raises:
        ServiceRefusedError: an error of Nominatim.
        msgspec.DecodeError: no answer of Nominatim.
    """
    if answer.status != 200:
        raise ServiceRefusedError(f"{PROVIDER} refuses the question (status {answer.status})")
    return [_place(place) for place in msgspec.json.decode(answer.body, type=list[NominatimPlace], strict=False)]


def _place(read: NominatimPlace) -> Place:
    box = None
    if read.boundingbox is not None:
        south, north, west, east = read.boundingbox
        box = Box(south, west, north, east)
    return Place(Coordinates(read.lat, read.lon), box, read.display_name, PROVIDER, read.licence)


def _read_status(answer: Answer) -> NominatimStatus:
    return msgspec.json.decode(answer.body, type=NominatimStatus)


def _kept(place: Place | None) -> tuple[Place | None, timedelta]:
    return place, NONE_FOR if place is None else FOUND_FOR
