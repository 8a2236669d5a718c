"""Take in what other systems keep or say: `dataflow ingest orders-db` and `dataflow ingest topics`."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event

import click

from application.ports.file_source import MappingError
from application.ports.role_lock import Check
from application.sources.database import DatabaseIngest
from application.sources.topics import TopicIngest, recorded_positions, source_of
from entrypoints.cli.context import platform, read_settings, stop_signal
from entrypoints.cli.ingesting import bring_up_to_date, say_balance, since
from entrypoints.cli.output import progress
from entrypoints.cli.telling import reported, summarise
from entrypoints.container import Container

PATIENCE = 0.5
"""Seconds that a step waits for a message, before it looks whether it shall stop."""
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


@click.command("topics")
@mapped
@click.option("--once", is_flag=True, help="End when all that is in the topics now is taken in.")
@click.option("--accept-recreated", is_flag=True, help="Read topics that were created anew from their first message.")
@click.option("--reread", multiple=True, metavar="TOPIC", help="Read a topic from its first message: its log was cut.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print the balance as JSON.")
def ingest_topics(mapping: Path, once: bool, accept_recreated: bool, reread: tuple[str, ...], as_json: bool) -> None:
    """Map other systems' messages to the platform's, each exactly once, until stopped."""
    started = time.monotonic()
    with platform() as container, closing(container.row_mapping(mapping)) as rows:
        ledger = container.source_ledger()
        names = [table.topic for table in rows.tables.values() if table.topic is not None]
        if not names:
            raise MappingError(f"{mapping} names no topic; add [topics.<table>] with a topic")
        if unknown := sorted({*reread} - {*names}):
            raise MappingError(f"{mapping} names no topic {', '.join(unknown)} to read again, but {', '.join(names)}")
        source = source_of(rows)
        recorded = partial(recorded_positions, ledger, rows)
        claim = partial(ledger.claim_topics, source, accept_recreated=accept_recreated, reread=reread)
        with (
            container.roles().hold(source) as check,
            container.foreign_topics(rows.name, names, positions=recorded, claim=claim) as topics,
            stop_signal(to_the_end=once) as stop,
        ):
            ingest = TopicIngest(topics, rows, ledger, ledger, container.topic_log())
            before = container.inbox().balance(source)
            read = _follow(container, ingest, stop, check, once=once)
            if not once:
                summarise(container.settings(), f"{read:,} messages read")
                return
            bring_up_to_date(container)
            after = container.inbox().balance(source)
            say_balance(since(before, after), started, as_json, {"messages_read": read})


def _follow(container: Container, ingest: TopicIngest, stop: Event, check: Check, *, once: bool) -> int:
    """Take in batches until stopped, or with `once` until the end; return how many messages were read."""
    ingest.begin()
    read, goal = 0, ingest.goal() if once else None
    total = None if goal is None else goal.left()
    with reported(container.settings(), "mapping", "messages") as report:
        while not stop.is_set() and (goal is None or goal.left()):
            check()
            read += ingest.step(container.now()(), PATIENCE)
            report(read, total)
    if goal is not None:
        goal.tell_held_back()
    return read
