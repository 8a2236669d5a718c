"""Where on earth a named place is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from application.ports.services import Coordinates


class Box(NamedTuple):
    """The rectangle around a place, in degrees; `west` is greater than `east` where it crosses the date line."""

    south: float
    west: float
    north: float
    east: float


class Place(NamedTuple):
    """A place that was found: its centre, its extent, and its full name in the provider's words.

    Wherever the place is shown, `attribution` is shown with it.
    """

    centre: Coordinates
    box: Box | None
    name: str
    provider: str
    attribution: str


class Geocoder(Protocol):
    """Finds places by name."""

    def find(self, query: str, country: str | None = None) -> Place | None:
        """Return the best match for a name or address, within a country (ISO 3166-1 alpha-2) if one is given.

        None where nothing matches.

        Raises:
            ServiceUnavailableError: the provider does not answer now.
            ServiceRefusedError: the provider does not answer this question.
        """

    def probe(self) -> None:
        """Ask whether the provider answers, past any cache; raises as `find` does."""
