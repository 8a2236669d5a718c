"""Real cities with their coordinates (degrees, WGS 84), distances, and points on the way."""

from __future__ import annotations

from functools import cache
from math import atan2, cos, degrees, hypot, radians, sin
from typing import NamedTuple

from domain.shared import distance
from domain.shared.distance import EARTH_RADIUS_KM

NEARBY_KM = 250.0


class City(NamedTuple):
    """A city, its country (ISO 3166-1 alpha-2), and where it lies."""

    name: str
    country: str
    latitude: float
    longitude: float


class Waypoint(NamedTuple):
    """A point on the way; `place` names a city near by, if there is one."""

    latitude: float
    longitude: float
    place: str | None


CITIES: tuple[City, ...] = (
    City("Amsterdam", "NL", 52.3676, 4.9041),
    City("Athens", "GR", 37.9838, 23.7275),
    City("Atlanta", "US", 33.7490, -84.3880),
    City("Auckland", "NZ", -36.8509, 174.7645),
    City("Bangkok", "TH", 13.7563, 100.5018),
    City("Barcelona", "ES", 41.3874, 2.1686),
    City("Beijing", "CN", 39.9042, 116.4074),
    City("Berlin", "DE", 52.5200, 13.4050),
    City("Bogotá", "CO", 4.7110, -74.0721),
    City("Boston", "US", 42.3601, -71.0589),
    City("Brussels", "BE", 50.8503, 4.3517),
    City("Bucharest", "RO", 44.4268, 26.1025),
    City("Budapest", "HU", 47.4979, 19.0402),
    City("Buenos Aires", "AR", -34.6037, -58.3816),
    City("Cairo", "EG", 30.0444, 31.2357),
    City("Cape Town", "ZA", -33.9249, 18.4241),
    City("Chennai", "IN", 13.0827, 80.2707),
    City("Chicago", "US", 41.8781, -87.6298),
    City("Copenhagen", "DK", 55.6761, 12.5683),
    City("Dallas", "US", 32.7767, -96.7970),
    City("Denver", "US", 39.7392, -104.9903),
    City("Dubai", "AE", 25.2048, 55.2708),
    City("Dublin", "IE", 53.3498, -6.2603),
    City("Frankfurt", "DE", 50.1109, 8.6821),
    City("Gothenburg", "SE", 57.7089, 11.9746),
    City("Guangzhou", "CN", 23.1291, 113.2644),
    City("Hamburg", "DE", 53.5511, 9.9937),
    City("Helsinki", "FI", 60.1699, 24.9384),
    City("Ho Chi Minh City", "VN", 10.8231, 106.6297),
    City("Hong Kong", "HK", 22.3193, 114.1694),
    City("Istanbul", "TR", 41.0082, 28.9784),
    City("Jakarta", "ID", -6.2088, 106.8456),
    City("Johannesburg", "ZA", -26.2041, 28.0473),
    City("Kuala Lumpur", "MY", 3.1390, 101.6869),
    City("Lagos", "NG", 6.5244, 3.3792),
    City("Lima", "PE", -12.0464, -77.0428),
    City("Lisbon", "PT", 38.7223, -9.1393),
    City("London", "GB", 51.5072, -0.1276),
    City("Los Angeles", "US", 34.0522, -118.2437),
    City("Madrid", "ES", 40.4168, -3.7038),
    City("Manila", "PH", 14.5995, 120.9842),
    City("Melbourne", "AU", -37.8136, 144.9631),
    City("Mexico City", "MX", 19.4326, -99.1332),
    City("Milan", "IT", 45.4642, 9.1900),
    City("Montreal", "CA", 45.5019, -73.5674),
    City("Mumbai", "IN", 19.0760, 72.8777),
    City("Munich", "DE", 48.1351, 11.5820),
    City("Nairobi", "KE", -1.2921, 36.8219),
    City("New York", "US", 40.7128, -74.0060),
    City("Oslo", "NO", 59.9139, 10.7522),
    City("Paris", "FR", 48.8566, 2.3522),
    City("Prague", "CZ", 50.0755, 14.4378),
    City("Rotterdam", "NL", 51.9244, 4.4777),
    City("Santiago", "CL", -33.4489, -70.6693),
    City("São Paulo", "BR", -23.5505, -46.6333),
    City("Seattle", "US", 47.6062, -122.3321),
    City("Seoul", "KR", 37.5665, 126.9780),
    City("Shanghai", "CN", 31.2304, 121.4737),
    City("Singapore", "SG", 1.3521, 103.8198),
    City("Stockholm", "SE", 59.3293, 18.0686),
    City("Sydney", "AU", -33.8688, 151.2093),
    City("Tokyo", "JP", 35.6762, 139.6503),
    City("Toronto", "CA", 43.6532, -79.3832),
    City("Vienna", "AT", 48.2082, 16.3738),
    City("Warsaw", "PL", 52.2297, 21.0122),
    City("Zurich", "CH", 47.3769, 8.5417),
)
CITY = {city.name: city for city in CITIES}


@cache
def great_circle_km(origin: City, destination: City) -> float:
    """Return the great-circle distance in km (haversine formula, mean Earth radius of the IUGG)."""
    return distance.great_circle_km(origin.latitude, origin.longitude, destination.latitude, destination.longitude)


@cache
def waypoint(origin: City, destination: City, tenths: int) -> Waypoint:
    """Return the point after so many tenths of the great circle from origin to destination."""
    latitude, longitude = _point_between(origin, destination, tenths / 10)
    nearest = min(CITIES, key=lambda city: distance.great_circle_km(latitude, longitude, city.latitude, city.longitude))
    near = distance.great_circle_km(latitude, longitude, nearest.latitude, nearest.longitude) <= NEARBY_KM
    return Waypoint(round(latitude, 4), round(longitude, 4), nearest.name if near else None)


def _point_between(origin: City, destination: City, fraction: float) -> tuple[float, float]:
    """Interpolate on the great circle: the weighted sum of both unit vectors (slerp)."""
    angle = great_circle_km(origin, destination) / EARTH_RADIUS_KM
    if angle == 0:
        return origin.latitude, origin.longitude
    weights = sin((1 - fraction) * angle) / sin(angle), sin(fraction * angle) / sin(angle)
    x = y = z = 0.0
    for city, weight in zip((origin, destination), weights, strict=True):
        phi, theta = radians(city.latitude), radians(city.longitude)
        x += weight * cos(phi) * cos(theta)
        y += weight * cos(phi) * sin(theta)
        z += weight * sin(phi)
    return degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))
