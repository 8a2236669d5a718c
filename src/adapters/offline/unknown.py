"""Weather and places stay unknown without a service: nothing is invented."""

from __future__ import annotations

from datetime import datetime

from application.ports.services import Coordinates


class UnknownWeather:
    """The `WeatherProvider` port without a service."""

    def at(self, place: Coordinates, when: datetime) -> None:
        """Return None: nobody was asked."""

    def probe(self) -> None:
        """Do nothing: there is nobody to ask."""


class UnknownPlaces:
    """The `Geocoder` port without a service."""

    def find(self, query: str, country: str | None = None) -> None:
        """Return None: nobody was asked."""

    def probe(self) -> None:
        """Do nothing: there is nobody to ask."""
