"""What every way of taking something in ends with: the read models up to date, and what became of the messages."""

from __future__ import annotations

import time
from collections.abc import Mapping

from application.ports.inbox import Balance
from entrypoints import pipeline
from entrypoints.cli.output import console, print_json, progress
from entrypoints.cli.quality import check_loaded
from entrypoints.container import Container


def bring_up_to_date(container: Container) -> None:
    """Take in all that is in the stream, project it, and check what came of it."""
    with progress("taking in", "messages") as report:
        pipeline.take_in(container, report)
    with progress("projecting", "events") as report:
        pipeline.project(container, report)
    check_loaded(container)


def since(before: Balance, after: Balance) -> Balance:
    """Return what was received between two balances."""
    return Balance(*(a - b for a, b in zip(after, before, strict=True)))


def say_balance(balance: Balance, started: float, as_json: bool, figures: Mapping[str, int] = {}) -> None:
    """Print what was received and what became of it; `figures` are of the source, with their names in JSON."""
    if as_json:
        print_json({**figures, **balance._asdict()})
        return
    read = "".join(f"{figure:,} {name.replace('_', ' ')}, " for name, figure in figures.items())
    console.print(f"{read}{_sentence(balance)} in {time.monotonic() - started:,.1f} s")
    if balance.quarantined:
        console.print("`dataflow quarantine list` shows what was set aside, and why")


def _sentence(b: Balance) -> str:
    return (
        f"{b.received:,} messages received: {b.applied:,} applied, {b.duplicate:,} duplicates, "
        f"{b.quarantined:,} quarantined"
    )
