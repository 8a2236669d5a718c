"""Send recorded events and dead letters out: `dataflow relay`."""

from __future__ import annotations

import click

from entrypoints.cli.context import read_settings, stop_signal
from entrypoints.cli.telling import reported, summarise
from entrypoints.monitoring import relaying


@click.command()
@click.option("--once", is_flag=True, help="End when all that is there now is sent.")
def relay(once: bool) -> None:
    """Publish recorded events to the topic `events`, in order for each stream, until stopped.

    On Kafka, what goes into quarantine is published to the topic `dead-letter`, too.
    """
    settings = read_settings()
    sent = 0

    def count(more: int) -> None:
        nonlocal sent
        sent += more
        report(sent)

    with stop_signal(to_the_end=once) as stop, reported(settings, "relaying", "messages") as report:
        relaying.relay(settings, stop, count, once=once)
    summarise(settings, f"{sent:,} messages sent")
