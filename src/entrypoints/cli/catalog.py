"""The catalog of products and their like: `dataflow ingest catalog`, `dataflow catalog`."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import click
import msgspec

from application.ports.product_catalog import CatalogUnavailableError
from application.ports.source_ledger import SourceShrankError
from application.sources.catalog import CatalogIngest, Done
from entrypoints.cli.context import platform, read_settings, stop_signal
from entrypoints.cli.ingesting import bring_up_to_date, say_balance, since
from entrypoints.cli.output import console, print_json, print_table, progress
from entrypoints.cli.telling import note, summarise, warn
from entrypoints.container import Container
from entrypoints.settings import MONGODB, Settings

WAIT = 2.0
"""Seconds that a step waits for a change, before it looks whether it shall stop."""
COMPARED = "the catalog has no stream of changes: all its documents are compared"
_FILE = msgspec.json.Decoder(dict[str, list[dict[str, Any]]], float_hook=Decimal)


@click.command("catalog")
@click.option("--url", help="mongodb://... of the catalog.  [default: DATAFLOW_CATALOG_URL, else the platform's own]")
@click.option("--follow", is_flag=True, help="Go on until stopped; consume and project run beside it.")
@click.option("--every", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Seconds between scans.")
@click.option("--accept-deletes", is_flag=True, help="Also where most documents of a collection are gone.")
@click.option("--json", "as_json", is_flag=True, help="Print what was read, and the balance, as JSON.")
def ingest_catalog(url: str | None, follow: bool, every: float, accept_deletes: bool, as_json: bool) -> None:
    """Take in what changed in the catalog since the last time; then bring the read models up to date."""
    started = time.monotonic()
    settings = read_settings()
    if url is not None and not url.startswith(MONGODB):
        raise click.BadParameter(f"must begin with {' or '.join(MONGODB)}", param_hint="--url")
    with platform(settings) as container, container.product_catalog(url or settings.catalog_url) as documents:
        ledger = container.source_ledger()
        ingest = CatalogIngest(documents, ledger, ledger, container.topic_log())
        with container.roles().hold(ingest.source):
            if follow:
                with stop_signal() as stop:
                    _follow(container, ingest, stop, every)
                return
            before = container.inbox().balance(ingest.source)
            with progress("reading", "documents") as report:
                done = ingest.run(container.now()(), report, accept_deletes=accept_deletes)
            _say_how(settings, done)
            bring_up_to_date(container)
            figures = {name: figure for name, figure in done._asdict().items() if name != "streamed"}
            say_balance(since(before, container.inbox().balance(ingest.source)), started, as_json, figures)


def _follow(container: Container, ingest: CatalogIngest, stop: Event, every: float) -> None:
    """Take in what changes, until stopped; what can't be read or believed now is tried again."""
    settings = container.settings()
    said = False
    while not stop.is_set():
        try:
            done = ingest.run(container.now()(), wait=WAIT)
        except (CatalogUnavailableError, SourceShrankError) as error:
            warn(settings, f"{error}; it is tried again in {every:g} s")
            stop.wait(every)
            continue
        if not said:
            _say_how(settings, done)
            said = True
        if done.messages:
            summarise(settings, f"{done.documents_changed:,} documents changed, {done.messages:,} messages")
        if not done.streamed:
            stop.wait(every)


def _say_how(settings: Settings, done: Done) -> None:
    if not done.streamed:
        note(settings, COMPARED)


@click.group()
def catalog() -> None:
    """Keep the catalog's documents in the platform's own database, where no MongoDB does."""


@catalog.command("load")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Of the collections in the file, remove all other documents.")
def load(path: Path, replace: bool) -> None:
    """Put documents from a JSON file: {"products": [{"_id": ...}, ...], "suppliers": [...]}."""
    try:
        collections = _FILE.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path.name}: {error}") from error
    with platform() as container:
        own = container.own_catalog()
        changed = sum(own.put(name, documents, only=replace) for name, documents in collections.items())
    console.print(f"{changed:,} documents changed; `dataflow ingest catalog` takes them in")


@catalog.command("list")
@click.argument("collection", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, in the form that `load` takes.")
def list_documents(collection: str | None, as_json: bool) -> None:
    """List the documents, or those of one COLLECTION."""
    with platform() as container:
        own = container.own_catalog()
        names = [name for name in own.collections() if collection in {None, name}]
        found = {name: [document.fields or {} for document in own.documents(name)] for name in names}
    if as_json:
        print_json(found)
        return
    rows = [(name, each["_id"], each.get("name"), each.get("updated_at")) for name in names for each in found[name]]
    print_table("Catalog", ("collection", "_id", "name", "updated_at"), rows)
