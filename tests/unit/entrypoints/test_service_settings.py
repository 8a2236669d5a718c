"""The settings of the cache and of services outside: nothing is asked of anybody unless it is set."""

import pytest

from entrypoints.settings import SettingsError, from_environment


def test_by_default_nobody_is_asked() -> None:
    settings = from_environment({})
    assert settings.weather_url is settings.weather_archive_url is settings.routes_url is settings.places_url is None
    assert settings.redis_url is settings.catalog_url is None


def test_each_service_has_an_address_and_a_rate() -> None:
    settings = from_environment(
        {
            "DATAFLOW_WEATHER_URL": "https://weather.example.com",
            "DATAFLOW_WEATHER_ARCHIVE_URL": "https://archive.example.com",
            "DATAFLOW_ROUTES_URL": "http://osrm:5000",
            "DATAFLOW_ROUTES_PER_SECOND": "200",
            "DATAFLOW_PLACES_URL": "",
            "DATAFLOW_CONTACT": "ops@example.com",
        }
    )
    assert (settings.weather_url, settings.weather_archive_url, settings.weather_per_second) == (
        "https://weather.example.com",
        "https://archive.example.com",
        None,
    )
    assert (settings.routes_url, settings.routes_per_second) == ("http://osrm:5000", 200)
    assert (settings.places_url, settings.contact) == (None, "ops@example.com")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DATAFLOW_WEATHER_URL", "api.example.com", "DATAFLOW_WEATHER_URL must begin with https:// or http://"),
        ("DATAFLOW_WEATHER_URL", "http://:8080/", "DATAFLOW_WEATHER_URL names no host"),
        ("DATAFLOW_PLACES_URL", "https://[::1/", "DATAFLOW_PLACES_URL names no host"),
        ("DATAFLOW_ROUTES_URL", "ftp://example.com", "DATAFLOW_ROUTES_URL must begin"),
        ("DATAFLOW_PLACES_PER_SECOND", "often", "DATAFLOW_PLACES_PER_SECOND is 'often'; it takes a whole number"),
        ("DATAFLOW_CATALOG_URL", "host:27017/catalog", "DATAFLOW_CATALOG_URL must begin with mongodb:// or mongodb"),
        ("DATAFLOW_REDIS_URL", "localhost:6379", "DATAFLOW_REDIS_URL must begin with redis://"),
        ("DATAFLOW_WEATHER_ARCHIVE_URL", "https://a.example.com", "but DATAFLOW_WEATHER_URL is not"),
    ],
)
def test_an_error_names_the_variable(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        from_environment({name: value})


def test_passwords_in_addresses_are_not_shown() -> None:
    assert "hunter2" not in repr(from_environment({"DATAFLOW_PLACES_URL": "https://me:hunter2@places.example.com"}))
    settings = from_environment({"DATAFLOW_REDIS_URL": "redis://:hunter2@cache:6379/0"})
    assert settings.redis_url == "redis://:hunter2@cache:6379/0"
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsError) as raised:
        from_environment({"DATAFLOW_REDIS_URL": ":hunter2@cache"})
    assert "hunter2" not in str(raised.value)
