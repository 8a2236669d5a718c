"""How far two places are apart."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R1 of the earth (IUGG, GRS 80)."""


def great_circle_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Return the great-circle distance in km between two places in degrees, on a sphere: within 0.6 % of the ellipsoid.

    The haversine formula: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (2), 1984, p. 159.
    """
    phi, to_phi = radians(latitude), radians(to_latitude)
    across = sin(radians(to_longitude - longitude) / 2) ** 2
    half_chord = sin((to_phi - phi) / 2) ** 2 + cos(phi) * cos(to_phi) * across
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, half_chord)))
