"""Where messages come from: `dataflow generate` and `dataflow ingest`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import click

from application.aggregates import INVENTORY, TOPICS
from application.ingest.messages import InvalidMessageError, decode_envelope
from application.ingest.states import States
from application.ports.message_stream import OutgoingMessage
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import message_of, messages, simulate_live
from application.simulation.world import world_of
from entrypoints import pipeline
from entrypoints.cli.catalog import ingest_catalog
from entrypoints.cli.context import platform, stop_signal
from entrypoints.cli.ingesting import bring_up_to_date, say_balance
from entrypoints.cli.output import console, progress
from entrypoints.cli.systems import ingest_orders_db, ingest_topics
from entrypoints.cli.telling import summarise
from entrypoints.container import Container

Share = click.FloatRange(0, 1)
PLATFORM = "platform"
DECIDED_BY = click.option(
    "--decided-by",
    type=click.Choice(["source", PLATFORM]),
    default="source",
    show_default=True,
    help="Who reserves, allocates and ships: the made-up sources, or the platform's own processes.",
)


@click.command()
@click.option("--orders", default=1_000, show_default=True, type=click.IntRange(0), help="Orders to place.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1), help="Days they spread over.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same messages.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First day, in UTC.  [default: DAYS ago]")
@click.option("--run", default="", help="Part of every id, so that runs with one seed don't collide.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Live: orders a second, without end.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write TOPIC.ndjson files here.")
@click.option("--duplicates", default=0.0, type=Share, help="Share of messages sent twice.")
@click.option("--late", default=0.0, type=Share, help="Share of messages sent late.")
@click.option("--broken", default=0.0, type=Share, help="Share of broken messages added.")
@DECIDED_BY
def generate(  # noqa: PLR0917
    orders: int,
    days: int,
    seed: int,
    start: datetime | None,
    run: str,
    rate: float | None,
    out: Path | None,
    duplicates: float,
    late: float,
    broken: float,
    decided_by: str,
) -> None:
    """Publish the messages of a made-up supply chain: a past of some days, or live at a rate."""
    if rate is not None:
        _live(seed, run or datetime.now(UTC).strftime("%y%m%d%H%M%S"), rate, decided_by)
        return
    begin = start.replace(tzinfo=UTC) if start is not None else past_start(days)
    settings = SimulationSettings(
        start=begin, seed=seed, orders=orders, days=days, run=run, platform_decides=decided_by == PLATFORM
    )
    made = with_faults(messages(settings), seed=seed, duplicate_share=duplicates, late_share=late, broken_share=broken)
    if out is not None:
        console.print(f"{_write(out, made):,} messages in {out}")
        return
    with platform() as container, progress("publishing", "messages") as report:
        published = pipeline.publish(container, made, report)
    console.print(f"{published:,} messages published; `dataflow consume --once` takes them in")


def past_start(days: int) -> datetime:
    """Return the start of the day so many days ago, in UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


def live_settings(container: Container, seed: int, run: str, rate: float, decided_by: str) -> SimulationSettings:
    """Return the settings of a live run that begins now, on the stock that there is."""
    world = world_of(seed)
    places = [(p.product_id, w.location_id) for p in world.products for w in world.warehouses]
    streams = {f"inventory-{product}@{location}": INVENTORY for product, location in places}
    states = States(container.event_store(), len(streams)).load(streams)
    stock = {
        place: state.available
        for place, stream in zip(places, streams, strict=True)
        if (state := states[stream][0]) is not None
    }
    return SimulationSettings(
        start=datetime.now(UTC),
        seed=seed,
        run=run,
        orders_per_second=rate,
        register_catalog=not stock,
        stock_at_start=stock or None,
        platform_decides=decided_by == PLATFORM,
    )


def publish_live(container: Container, settings: SimulationSettings, stop: Event) -> int:
    """Publish a live run's messages as their time comes, until `stop` is set; return how many."""
    stream = container.topic_log()
    published = 0
    for number, timed in enumerate(simulate_live(settings), 1):
        while (ahead := (timed.at - datetime.now(UTC)).total_seconds()) > 0:
            if stop.wait(min(ahead, 1.0)):
                return published
        stream.publish([message_of(timed, number, settings)])
        published += 1
        if stop.is_set():
            break
    return published


def _live(seed: int, run: str, rate: float, decided_by: str) -> None:
    with platform() as container, stop_signal() as stop:
        settings = live_settings(container, seed, run, rate, decided_by)
        summarise(container.settings(), f"live run {run}: {rate:g} orders a second, Ctrl-C ends it")
        published = publish_live(container, settings, stop)
        summarise(container.settings(), f"{published:,} messages published")


def _write(folder: Path, made: Iterable[OutgoingMessage]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {topic: stack.enter_context((folder / f"{topic}.ndjson").open("wb")) for topic in TOPICS}
        written = 0
        for written, message in enumerate(made, 1):  # noqa: B007
            files[message.topic].write(message.payload.replace(b"\n", b" ") + b"\n")
    return written


@click.group()
def ingest() -> None:
    """Take in files, a database or topics through a mapping, or messages as they are."""


@ingest.command("files")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--mapping", required=True, type=click.Path(path_type=Path), help="Folder of the mapping.")
@click.option("--json", "as_json", is_flag=True, help="Print the balance as JSON.")
def ingest_files(path: Path, mapping: Path, as_json: bool) -> None:
    """Take in the files in the folder PATH as a mapping says; then bring the read models up to date."""
    with platform() as container:
        _ingest(container, container.files().messages(path, mapping), as_json)


@ingest.command("messages")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the balance as JSON.")
def ingest_messages(paths: tuple[Path, ...], as_json: bool) -> None:
    """Take in files of messages, one a line, named after their topic: orders.ndjson."""
    for path in paths:
        if path.stem not in TOPICS:
            raise click.BadParameter(f"{path.name}: the name must be a topic, one of {', '.join(TOPICS)}")
    with platform() as container:
        _ingest(container, _read(paths), as_json)


def _read(paths: Iterable[Path]) -> Iterator[OutgoingMessage]:
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                payload = line.rstrip(b"\n")
                try:
                    key = decode_envelope(payload).subject or ""
                except InvalidMessageError:
                    key = f"{path.name}:{number}"
                yield OutgoingMessage(path.stem, key, payload)


def _ingest(container: Container, made: Iterable[OutgoingMessage], as_json: bool) -> None:
    started = time.monotonic()
    balance = pipeline.SourceBalance(container)
    with progress("reading", "messages") as report:
        pipeline.publish(container, balance.watch(made), report)
    bring_up_to_date(container)
    say_balance(balance.result(), started, as_json)


ingest.add_command(ingest_orders_db)
ingest.add_command(ingest_topics)
ingest.add_command(ingest_catalog)
