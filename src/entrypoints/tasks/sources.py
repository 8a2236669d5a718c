"""Extract: what the sources that are set have, into the stream; then take it in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from application.sources.catalog import CatalogIngest
from application.sources.database import DatabaseIngest
from entrypoints import pipeline
from entrypoints.cli.context import platform, read_settings
from entrypoints.container import Container
from entrypoints.settings import Settings


def sources() -> list[str]:
    """Return the names of the sources that the settings name: any of `orders-db`, `catalog`, `files`."""
    settings = read_settings()
    return [name for name, (is_set, _) in _SOURCES.items() if is_set(settings)]


def extract(source: str, day: str) -> dict[str, Any]:
    """Publish what a source has; of files, those of the day where the landing folder's name holds `{day}`.

    What was published before comes again under the same ids, and is recognised. Raises what reading the source raises.
    """
    with platform() as container:
        return {"source": source, **_SOURCES[source][1](container, day)}


def take_in() -> dict[str, Any]:
    """Take in all that is in the stream; return the balance since the beginning, and where the log ends."""
    with platform() as container:
        pipeline.take_in(container, lambda *_: None)
        return {**container.inbox().balance()._asdict(), "position": container.event_store().head()}


def _orders_db(container: Container, _day: str) -> dict[str, Any]:
    settings = container.settings()
    with closing(container.row_mapping(settings.orders_db_mapping)) as rows:
        ledger, database = container.source_ledger(), container.source_database(settings.orders_db_url)
        ingest = DatabaseIngest(database, rows, ledger, ledger, container.topic_log())
        with container.roles().hold(ingest.source):
            return ingest.run(container.now()(), lambda *_: None)._asdict()


def _catalog(container: Container, _day: str) -> dict[str, Any]:
    ledger = container.source_ledger()
    with container.product_catalog(container.settings().catalog_url) as documents:
        ingest = CatalogIngest(documents, ledger, ledger, container.topic_log())
        with container.roles().hold(ingest.source):
            return ingest.run(container.now()(), lambda *_: None)._asdict()


def _files(container: Container, day: str) -> dict[str, Any]:
    settings = container.settings()
    assert settings.landing is not None
    assert settings.landing_mapping is not None
    folder = Path(settings.landing.replace("{day}", day))
    if not folder.is_dir():
        return {"published": 0, "folder": str(folder), "there": False}
    messages = container.files().messages(folder, settings.landing_mapping)
    published = pipeline.publish(container, messages, lambda *_: None)
    return {"published": published, "folder": str(folder), "there": True}


Source = tuple[Callable[[Settings], bool], Callable[[Container, str], dict[str, Any]]]
_SOURCES: dict[str, Source] = {
    "orders-db": (lambda settings: bool(settings.orders_db_url and settings.orders_db_mapping), _orders_db),
    "catalog": (lambda settings: bool(settings.catalog_url), _catalog),
    "files": (lambda settings: bool(settings.landing), _files),
}
