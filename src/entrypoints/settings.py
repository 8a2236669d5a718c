"""Settings from the environment: read once, typed, validated; an error names the variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from application.errors import InvalidRequestError

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
PROCESSES = ("fulfilment", "enrichment")

HTTP = ("https://", "http://")
MONGODB = ("mongodb://", "mongodb+srv://")
KAFKA = "DATAFLOW_KAFKA_"
KAFKA_OWN = ("BOOTSTRAP", "GROUP", "TOPIC_PREFIX")
_BROKER = re.compile(
    r"(?:(?:PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)://)?(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/@\[\]]+)(?::(?P<port>\d{1,5}))?",
    re.IGNORECASE,
)
_MOST_PORT = 65_535


class SettingsError(InvalidRequestError):
    """A variable has a value that can't be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside.

    `home` holds the embedded default's data; with `database_url` an own PostgreSQL is used instead. With a
    `health_port` the long-running commands answer `/live`, `/ready` and `/metrics` there. With `kafka_bootstrap`
    messages travel through Kafka; `kafka_properties` go to its client, and may hold secrets. With `catalog_url` the
    catalog is in MongoDB, not among the platform's own data. With `redis_url` processes share a cache. Weather,
    routes and places are asked of a service only where its address is set, so many times a second at most, or as
    often as the public one allows; `contact` is told to its operators. `processes` are those that decide here,
    because no other system does.
    """

    home: Path = Path(".dataflow")
    database_url: str | None = None
    batch_size: int = 4_000
    project_batch_size: int = 10_000
    fiscal_year_start: int = 1
    log_level: str = "warning"
    log_format: str = "text"
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    dashboard_host: str = "127.0.0.1"
    dashboard_port: int = 8501
    kafka_bootstrap: str | None = None
    kafka_group: str = "dataflow-ingest"
    kafka_topic_prefix: str = ""
    kafka_properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    orders_db_url: str | None = field(default=None, repr=False)
    catalog_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    cache_namespace: str = "dataflow"
    weather_url: str | None = field(default=None, repr=False)
    weather_archive_url: str | None = field(default=None, repr=False)
    weather_per_second: int | None = None
    routes_url: str | None = field(default=None, repr=False)
    routes_per_second: int | None = None
    places_url: str | None = field(default=None, repr=False)
    places_per_second: int | None = None
    contact: str | None = None
    landing: str | None = None
    landing_mapping: Path | None = None
    orders_db_mapping: Path | None = None
    artefacts: Path = Path(".dataflow/artefacts")
    alert_webhook: str | None = field(default=None, repr=False)
    alert_email: str | None = None
    smtp_url: str | None = field(default=None, repr=False)
    processes: tuple[str, ...] = ()


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the variables DATAFLOW_*, each named after the setting.

    Raises:
        SettingsError: a value can't be used; the message names the variable and what it takes.
    """
    default = Settings()
    home = Path(environment.get("DATAFLOW_HOME") or default.home)
    if home.exists() and not home.is_dir():
        raise SettingsError(
            f"DATAFLOW_HOME is {str(home)!r}, which is a file; it takes a folder, which may be absent yet"
        )
    log_format = _choice(environment, "DATAFLOW_LOG_FORMAT", default.log_format, LOG_FORMATS)
    usual_level = "info" if log_format == "json" else default.log_level
    url = environment.get("DATAFLOW_DATABASE_URL") or None
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise SettingsError("DATAFLOW_DATABASE_URL must begin with postgresql://")
    return Settings(
        home=home,
        database_url=url,
        batch_size=_whole(environment, "DATAFLOW_BATCH_SIZE", default.batch_size, 1, 100_000),
        project_batch_size=_whole(environment, "DATAFLOW_PROJECT_BATCH_SIZE", default.project_batch_size, 1, 100_000),
        fiscal_year_start=_whole(environment, "DATAFLOW_FISCAL_YEAR_START", default.fiscal_year_start, 1, 12),
        log_level=_choice(environment, "DATAFLOW_LOG_LEVEL", usual_level, LOG_LEVELS),
        log_format=log_format,
        health_host=environment.get("DATAFLOW_HEALTH_HOST") or default.health_host,
        health_port=_port(environment, "DATAFLOW_HEALTH_PORT"),
        dashboard_host=environment.get("DATAFLOW_DASHBOARD_HOST") or default.dashboard_host,
        dashboard_port=_whole(environment, "DATAFLOW_DASHBOARD_PORT", default.dashboard_port, 1, _MOST_PORT),
        kafka_bootstrap=_brokers(environment),
        kafka_group=environment.get("DATAFLOW_KAFKA_GROUP") or default.kafka_group,
        kafka_topic_prefix=_topic_prefix(environment, default.kafka_topic_prefix),
        kafka_properties=_kafka_properties(environment),
        orders_db_url=environment.get("DATAFLOW_ORDERS_DB_URL") or None,
        catalog_url=_address(environment, "DATAFLOW_CATALOG_URL", MONGODB),
        redis_url=_address(environment, "DATAFLOW_REDIS_URL", ("redis://", "rediss://", "unix://")),
        cache_namespace=environment.get("DATAFLOW_CACHE_NAMESPACE") or default.cache_namespace,
        weather_url=_address(environment, "DATAFLOW_WEATHER_URL"),
        weather_archive_url=_archive(environment),
        weather_per_second=_rate(environment, "DATAFLOW_WEATHER_PER_SECOND"),
        routes_url=_address(environment, "DATAFLOW_ROUTES_URL"),
        routes_per_second=_rate(environment, "DATAFLOW_ROUTES_PER_SECOND"),
        places_url=_address(environment, "DATAFLOW_PLACES_URL"),
        places_per_second=_rate(environment, "DATAFLOW_PLACES_PER_SECOND"),
        contact=environment.get("DATAFLOW_CONTACT") or None,
        landing=_landing(environment),
        landing_mapping=_path(environment, "DATAFLOW_LANDING_MAPPING"),
        orders_db_mapping=_path(environment, "DATAFLOW_ORDERS_DB_MAPPING"),
        artefacts=_path(environment, "DATAFLOW_ARTEFACTS") or home / "artefacts",
        alert_webhook=_address(environment, "DATAFLOW_ALERT_WEBHOOK"),
        alert_email=environment.get("DATAFLOW_ALERT_EMAIL") or None,
        smtp_url=_address(environment, "DATAFLOW_SMTP_URL", ("smtp://", "smtps://")),
        processes=_processes(environment),
    )


def _brokers(environment: Mapping[str, str]) -> str | None:
    """Return the brokers; a client would look for ever for those that it can't make sense of."""
    text = environment.get("DATAFLOW_KAFKA_BOOTSTRAP")
    if not text:
        return None
    brokers = [_BROKER.fullmatch(each.strip()) for each in text.split(",") if each.strip()]
    if not brokers or not all(each and 0 < int(each["port"] or 1) <= _MOST_PORT for each in brokers):
        raise SettingsError(
            "DATAFLOW_KAFKA_BOOTSTRAP can't be read; it takes host:port of the brokers, separated by commas"
        )
    return text


def _kafka_properties(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the other variables, each under its property's name: DATAFLOW_KAFKA_SASL_MECHANISM is `sasl.mechanism`."""
    names = [name for name in environment if name.startswith(KAFKA) and environment[name]]
    if names and not environment.get(f"{KAFKA}BOOTSTRAP"):
        raise SettingsError(
            f"{names[0]} is set, but DATAFLOW_KAFKA_BOOTSTRAP is not; it takes host:port of the brokers"
        )
    return {
        name.removeprefix(KAFKA).lower().replace("_", "."): environment[name]
        for name in names
        if name.removeprefix(KAFKA) not in KAFKA_OWN
    }


def _topic_prefix(environment: Mapping[str, str], default: str) -> str:
    prefix = environment.get("DATAFLOW_KAFKA_TOPIC_PREFIX", default)
    if not re.fullmatch(r"[A-Za-z0-9._-]{0,200}", prefix):
        raise SettingsError(
            f"DATAFLOW_KAFKA_TOPIC_PREFIX is {prefix!r}; it takes up to 200 letters, digits, dots, '_' and '-', "
            "as names of topics do"
        )
    return prefix


def _processes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the processes that are switched on, in their own order."""
    named = {name.strip() for name in environment.get("DATAFLOW_PROCESSES", "").split(",")} - {""}
    unknown = sorted(named.difference(PROCESSES))
    if unknown:
        raise SettingsError(f"DATAFLOW_PROCESSES names {unknown[0]!r}; it takes some of {','.join(PROCESSES)}")
    return tuple(name for name in PROCESSES if name in named)


def _landing(environment: Mapping[str, str]) -> str | None:
    folder = environment.get("DATAFLOW_LANDING") or None
    if folder is not None and not environment.get("DATAFLOW_LANDING_MAPPING"):
        raise SettingsError("DATAFLOW_LANDING is set, but DATAFLOW_LANDING_MAPPING is not; it takes a mapping's folder")
    return folder


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None


def _archive(environment: Mapping[str, str]) -> str | None:
    url = _address(environment, "DATAFLOW_WEATHER_ARCHIVE_URL")
    if url is not None and not environment.get("DATAFLOW_WEATHER_URL"):
        raise SettingsError("DATAFLOW_WEATHER_ARCHIVE_URL is set, but DATAFLOW_WEATHER_URL is not")
    return url


def _address(environment: Mapping[str, str], name: str, schemes: tuple[str, ...] = HTTP) -> str | None:
    """Return an address; what it holds beside its scheme appears in no error, it may be a secret."""
    url = environment.get(name) or None
    if url is not None and not url.startswith(schemes):
        raise SettingsError(f"{name} must begin with {' or '.join(schemes)}")
    if url is not None and schemes == HTTP and not host_of(url):
        raise SettingsError(f"{name} names no host")
    return url


def host_of(address: str) -> str | None:
    """Return the host of an address without what else it may hold, such as a password; None where it names none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _rate(environment: Mapping[str, str], name: str) -> int | None:
    return _whole(environment, name, 0, 1, 10_000) or None


def _choice(environment: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = (environment.get(name) or default).lower()
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; it takes one of {', '.join(choices)}")
    return value


def _port(environment: Mapping[str, str], name: str) -> int | None:
    return _whole(environment, name, 0, 1, _MOST_PORT) or None


def _whole(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SettingsError(f"{name} is {text!r}; it takes a whole number from {least:,} to {most:,}")
    return value
