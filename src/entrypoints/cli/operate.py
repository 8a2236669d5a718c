"""Run and watch the platform: `consume`, `project`, `status`, `doctor`, `events`."""

from __future__ import annotations

from collections.abc import Collection

import click

from application import codec
from application.errors import InvalidRequestError, PlatformError
from application.ingest.goal import held_back
from application.ports.inbox import Balance
from application.ports.message_stream import LogIdentity
from application.quality.check import Severity
from entrypoints import pipeline
from entrypoints.cli.context import platform, read_settings, stop_signal
from entrypoints.cli.output import console, errors, phases, print_json, print_table
from entrypoints.cli.quality import check_loaded
from entrypoints.cli.telling import reported, summarise
from entrypoints.doctor import examine
from entrypoints.monitoring import consuming, projecting
from entrypoints.monitoring.processing import process_figures
from entrypoints.onward import faster_than_following


@click.command()
@click.option("--once", is_flag=True, help="End when all that can be read of the stream now is taken in.")
def consume(once: bool) -> None:
    """Take in messages from the stream, each exactly once, until stopped."""
    settings = read_settings()
    taken = Balance(0, 0, 0, 0)

    def count(more: Balance) -> None:
        nonlocal taken
        taken = taken.plus(more)
        report(taken.received)

    with stop_signal(to_the_end=once) as stop, reported(settings, "taking in", "messages") as report:
        consuming.consume(settings, stop, count, once=once)
    summarise(
        settings,
        f"{taken.received:,} messages received: {taken.applied:,} applied, {taken.duplicate:,} duplicates, "
        f"{taken.quarantined:,} quarantined",
    )


@click.command()
@click.option("--once", is_flag=True, help="End at the end of the log.")
def project(once: bool) -> None:
    """Carry the read models forward as events come, until stopped."""
    settings = read_settings()
    applied = 0

    def count(more: int) -> None:
        nonlocal applied
        applied += more
        report(applied, what="projecting")

    with stop_signal(to_the_end=once) as stop, reported(settings, "projecting", "events") as report:
        building = phases(report)
        projecting.project(settings, stop, count, building, once=once, at_end=check_loaded)
    summarise(settings, f"{applied:,} events applied")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(as_json: bool) -> None:
    """Show what was received, where the log and the read models stand, and what waits in quarantine."""
    with platform() as container:
        balance = container.inbox().balance()
        waiting = container.inbox().waiting()
        head, position = container.event_store().head(), container.read_model().position()
        checked = container.quality().last()
        figures = {
            "received": balance.received,
            "applied": balance.applied,
            "duplicate": balance.duplicate,
            "quarantined": balance.quarantined,
            "balance_holds": balance.holds,
            "quarantine_open": sum(waiting.values()),
            "stream_behind": container.ingest().behind(),
            "stream_held_back": sum(held_back(container.topic_log()).values()),
            "log_position": head,
            "read_model_position": position,
            "read_model_behind": head - position,
            **process_figures(container),
            "quality_checked_at": checked.checked_at if checked else None,
            "quality_errors": [each.name for each in checked.failures(Severity.ERROR)] if checked else None,
            "quality_warnings": [each.name for each in checked.failures(Severity.WARN)] if checked else None,
        }
    if as_json:
        print_json(figures)
    else:
        shown = ((name, ", ".join(value) or 0 if isinstance(value, list) else value) for name, value in figures.items())
        print_table("Status", ("figure", "value"), shown)
    if advice := faster_than_following(position, head):
        errors.print(f"note: {advice}", soft_wrap=True)


def _require_topics(log: LogIdentity, topics: Collection[str]) -> None:
    """Check that a log has topics, which it can give to read again.

    Raises:
        InvalidRequestError: it doesn't.
    """
    if unknown := sorted(set(topics) - log.topics.keys()):
        has = f"it has {', '.join(sorted(log.topics))}" if log.topics else "nothing of it can be lost"
        raise InvalidRequestError(f"{log.name} has no topic {', '.join(unknown)} to read again: {has}")


@click.command("switch-log")
@click.option("--drained", is_flag=True, help="Everything in the Kafka topics so far was taken in.")
@click.option("--reread", multiple=True, metavar="TOPIC", help="Read a topic of Kafka again: its log was cut.")
def switch_log(drained: bool, reread: tuple[str, ...]) -> None:
    """Move the database to the log that the settings name now, e.g. from its own topic log to Kafka.

    So it goes on, too, with topics that were deleted and created anew, from their first messages. Stop whatever
    publishes and consumes first.
    """
    with platform() as container, container.roles().hold(pipeline.CONSUME):
        named = container.named_log()
        _require_topics(named, reread)
        starts = container.log_identity().switch(named, drained=drained, reread=reread)
    console.print(f"this database takes in from {named.name}", soft_wrap=True)
    for (topic, number), start in sorted(starts.items()):
        console.print(f"  {topic}/{number}: its first message counts as {start:,}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Examine the installation and the data; every finding says what to do."""
    findings = examine(read_settings())
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        print_table("Doctor", ("check", "ok", "finding"), findings)
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@click.command()
@click.argument("stream")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def events(stream: str, as_json: bool) -> None:
    """Show the history of one stream, e.g. order-10248 or inventory-11@main."""
    with platform() as container:
        recorded = container.event_store().load([stream]).get(stream, [])
    if not recorded:
        raise PlatformError(
            f"there is no stream {stream!r}; streams are named order-ID, shipment-ID, "
            "inventory-PRODUCT@LOCATION, product-ID, supplier-ID, customer-ID, carrier-ID, location-ID"
        )
    history = [(event, *codec.decode_with_metadata(*event)) for event in recorded]
    if as_json:
        print_json(
            [
                {
                    "event_id": codec.event_id(r.stream_id, r.version),
                    "position": r.position,
                    "version": r.version,
                    "topic": r.topic,
                    "data": event,
                    "metadata": metadata,
                }
                for r, event, metadata in history
            ]
        )
        return
    rows = [
        (r.version, r.position, event.occurred_at, r.topic, codec.describe(event), metadata.source)
        for r, event, metadata in history
    ]
    print_table(stream, ("version", "position", "occurred at", "event", "data", "source"), rows)
