"""Send recorded events out: `dataflow relay`."""

from __future__ import annotations

import click

from entrypoints.cli.context import platform, stop_signal
from entrypoints.cli.output import console, progress

ROLE = "relay"
IDLE = 0.2
"""Seconds that the relay waits when it is at the end of the log."""


@click.command()
@click.option("--once", is_flag=True, help="End at the end of the log.")
def relay(once: bool) -> None:
    """Publish recorded events to the topic `events`, in order for each stream, until stopped."""
    with platform() as container, stop_signal() as stop, container.roles().hold(ROLE):
        sender = container.relay()
        sent = 0
        with progress("relaying", "events") as report:
            while not stop.is_set():
                count = sender.step()
                sent += count
                report(sent)
                if not count and (once or stop.wait(IDLE)):
                    break
    console.print(f"{sent:,} events sent")
