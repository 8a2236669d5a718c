"""The way from one place to another."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from application.ports.services import Coordinates


class Route(NamedTuple):
    """How long a route is, in km, and how many minutes it takes where somebody knows.

    `provider` says who measured it; what is computed rather than measured has a provider that says so. Wherever
    the route is shown, `attribution` is shown with it.
    """

    distance_km: float
    duration_minutes: float | None
    provider: str
    attribution: str


class RouteProvider(Protocol):
    """Measures routes."""

    def between(self, origin: Coordinates, destination: Coordinates) -> Route | None:
        """Return the route from origin to destination; None where there is none, e.g. across water.

        Raises:
            ServiceUnavailableError: the provider does not answer now.
            ServiceRefusedError: the provider does not answer this question.
        """

    def probe(self) -> None:
        """Ask whether the provider answers, past any cache; raises as `between` does."""
