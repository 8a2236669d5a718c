from itertools import pairwise

import pytest

from application.simulation.geography import CITIES, CITY, great_circle_km, waypoint


def test_distances_agree_with_published_ones() -> None:
    assert great_circle_km(CITY["London"], CITY["Paris"]) == pytest.approx(344, abs=3)
    assert great_circle_km(CITY["New York"], CITY["Los Angeles"]) == pytest.approx(3936, abs=10)
    assert great_circle_km(CITY["Sydney"], CITY["Tokyo"]) == pytest.approx(7823, abs=20)


def test_waypoints_lie_in_even_steps_on_the_shortest_way() -> None:
    from_city, to_city = CITY["Rotterdam"], CITY["Singapore"]
    points = [waypoint(from_city, to_city, tenths) for tenths in range(11)]
    steps = [
        great_circle_km(
            from_city._replace(latitude=a.latitude, longitude=a.longitude),
            from_city._replace(latitude=b.latitude, longitude=b.longitude),
        )
        for a, b in pairwise(points)
    ]
    tenth = great_circle_km(from_city, to_city) / 10
    assert steps == pytest.approx([tenth] * 10, abs=0.1)


def test_a_waypoint_names_a_city_only_where_one_is_near() -> None:
    assert waypoint(CITY["Rotterdam"], CITY["Amsterdam"], 9).place == "Amsterdam"
    assert waypoint(CITY["Rotterdam"], CITY["New York"], 5).place is None


def test_a_way_within_one_city_stays_there() -> None:
    shanghai = CITY["Shanghai"]
    assert waypoint(shanghai, shanghai, 5) == (shanghai.latitude, shanghai.longitude, "Shanghai")


def test_cities_are_distinct_places_on_earth() -> None:
    assert len(CITY) == len(CITIES) >= 60
    assert all(abs(city.latitude) <= 90 and abs(city.longitude) <= 180 for city in CITIES)
    assert len({(city.latitude, city.longitude) for city in CITIES}) == len(CITIES)
