"""Run processes, and see what they could not carry out: `dataflow process`, `dataflow cases`."""

from __future__ import annotations

import click

from application.ports.cases import Case, CaseStatus
from application.process_runner.runner import Tally
from entrypoints.cli.context import platform, read_settings, stop_signal
from entrypoints.cli.counts import COUNT
from entrypoints.cli.output import print_json, print_table
from entrypoints.cli.telling import reported, summarise
from entrypoints.monitoring import processing
from entrypoints.pipeline import tune_interpreter
from entrypoints.settings import PROCESSES

Name = click.Choice(PROCESSES)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", type=Name)
@click.option("--once", is_flag=True, help="End when nothing is left to decide.")
@click.option("--retry-parked", is_flag=True, help="First try again what was refused.")
def process(names: tuple[str, ...], once: bool, retry_parked: bool) -> None:
    """Decide across aggregates as events come, until stopped: fulfilment, enrichment.

    Fulfilment reserves and allocates what is ordered, ships and delivers with the shipments. Enrichment keeps route
    and weather of what was dispatched. Without a NAME, those in DATAFLOW_PROCESSES run.
    """
    settings = read_settings()
    chosen = tuple(dict.fromkeys(names)) or settings.processes
    if not chosen:
        raise click.UsageError(
            f"no process is switched on: name one of {', '.join(PROCESSES)}, or set DATAFLOW_PROCESSES"
        )
    tune_interpreter()
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(done)

    with stop_signal(to_the_end=once) as stop, reported(settings, "reading and deciding", "events") as report:
        tally = processing.process(settings, chosen, stop, count, once=once, retry_parked=retry_parked)
    summarise(settings, _said(tally, " and ".join(chosen)))


def _said(tally: Tally, who: str) -> str:
    """Say what was decided; what was only read for that is told apart, it may be the whole log."""
    read = f" ({tally.read:,} events read for what is in stock)" if tally.read else ""
    if not tally.acted_on and not tally.followed:
        return f"nothing to decide for {who}{read}"
    return f"{tally.acted_on:,} events acted on by {who}: {tally.followed:,} events followed{read}"


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", type=Name)
@click.option("--status", type=click.Choice([status.value for status in CaseStatus]), help="Only these.")
@click.option("--limit", default=50, show_default=True, type=COUNT, help="Cases of a process at most.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def cases(names: tuple[str, ...], status: str | None, limit: int, as_json: bool) -> None:
    """List the events that processes could not carry out: waiting for something, or refused."""
    wanted = None if status is None else CaseStatus(status)
    with platform() as container:
        found = [case for name in names or PROCESSES for case in container.cases().cases(name, wanted, limit=limit)]
    if as_json:
        print_json([case._asdict() for case in found])
        return
    headings = ("process", "event", "status", "code", "detail", "attempts", "due at")
    print_table("Cases", headings, [_row(case) for case in found])


def _row(case: Case) -> tuple[object, ...]:
    due_at = "" if case.due_at is None else case.due_at
    return case.process, case.event_id, case.status.value, case.code, case.detail, case.attempts, due_at
