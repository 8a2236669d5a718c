"""Take in what other systems keep or say: `dataflow ingest orders-db` and `dataflow ingest topics`."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import click

from application.sources.database import DatabaseIngest
from entrypoints.cli.context import platform, read_settings
from entrypoints.cli.ingesting import bring_up_to_date, say_balance, since
from entrypoints.cli.output import progress

mapped = click.option("--mapping", required=True, type=click.Path(path_type=Path), help="Folder of the mapping.")


@click.command("orders-db")
@mapped
@click.option("--url", help="URL of the database, as SQLAlchemy takes it.  [default: DATAFLOW_ORDERS_DB_URL]")
@click.option("--accept-deletes", is_flag=True, help="Also where most rows of a table are gone.")
@click.option("--json", "as_json", is_flag=True, help="Print what was read, and the balance, as JSON.")
def ingest_orders_db(mapping: Path, url: str | None, accept_deletes: bool, as_json: bool) -> None:
    """Take in what changed in a database since the last time; then bring the read models up to date."""
    started = time.monotonic()
    settings = read_settings()
    address = url or settings.orders_db_url
    if address is None:
        raise click.UsageError("which database? Set DATAFLOW_ORDERS_DB_URL, or give --url")
    with platform(settings) as container, closing(container.row_mapping(mapping)) as rows:
        database = container.source_database(address)
        ledger = container.source_ledger()
        ingest = DatabaseIngest(database, rows, ledger, ledger, container.topic_log())
        with container.roles().hold(ingest.source):
            before = container.inbox().balance(ingest.source)
            with progress("reading", "rows") as report:
                done = ingest.run(container.now()(), report, accept_deletes=accept_deletes)
            bring_up_to_date(container)
            say_balance(since(before, container.inbox().balance(ingest.source)), started, as_json, done._asdict())
