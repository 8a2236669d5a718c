"""The great circle in place of a route: computed, and marked as such."""

from __future__ import annotations

from application.ports.routes import Route
from application.ports.services import Coordinates
from domain.shared.distance import great_circle_km

PROVIDER = "great-circle"
ATTRIBUTION = "Computed: the great circle, no road"


class GreatCircleRoutes:
    """The `RouteProvider` port without a service: the shortest way over the earth; how long it takes is not known."""

    def between(self, origin: Coordinates, destination: Coordinates) -> Route:
        """Return the great circle, in km to the metre."""
        return Route(round(great_circle_km(*origin, *destination), 3), None, PROVIDER, ATTRIBUTION)

    def probe(self) -> None:
        """Do nothing: it always answers."""
