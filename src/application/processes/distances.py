"""How far customers are from locations, as far as the catalog says where they are."""

from __future__ import annotations

from math import inf
from typing import Any

from domain.catalog.details import CustomerDetails, LocationDetails
from domain.shared.distance import great_circle_km


class Distances:
    """Coordinates of customers and locations, and the distances asked for so far."""

    def __init__(self) -> None:
        self._customers: dict[str, tuple[float, float]] = {}
        self._locations: dict[str, tuple[float, float]] = {}
        self._ranks: dict[tuple[str, str], tuple[float, str]] = {}

    def apply(self, event: Any) -> None:
        """Take in where a customer or a location is."""
        if event.latitude is None or event.longitude is None:
            return
        place = event.latitude, event.longitude
        if isinstance(event, CustomerDetails):
            self._customers[event.customer_id] = place  # type: ignore[attr-defined]
        elif isinstance(event, LocationDetails):
            self._locations[event.location_id] = place  # type: ignore[attr-defined]
        self._ranks.clear()

    def rank(self, customer_id: str, location_id: str) -> tuple[float, str]:
        """Return what locations are put in order by for a customer: the great circle in km, then the id."""
        key = customer_id, location_id
        rank = self._ranks.get(key)
        if rank is None:
            customer, location = self._customers.get(customer_id), self._locations.get(location_id)
            known = customer is not None and location is not None
            rank = self._ranks[key] = (great_circle_km(*customer, *location) if known else inf, location_id)  # type: ignore[misc]
        return rank
