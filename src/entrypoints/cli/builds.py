"""Look after builds that are kept, and compare them: `dataflow builds list|drop`, `dataflow diff`."""

from __future__ import annotations

import click

from application.ports.builds import MadeBuild
from application.queries.definitions import Kpi
from application.queries.explain import key_name
from application.replay.difference import BuildDifference, Move, difference
from entrypoints.cli.answers import shown
from entrypoints.cli.certificates import print_events, print_rows
from entrypoints.cli.context import platform
from entrypoints.cli.counts import MOST
from entrypoints.cli.output import console, print_json, print_table
from entrypoints.cli.selecting import policies_of


@click.group()
def builds() -> None:
    """Look after builds that are kept beside the live tables: the star as it was known at some time."""


@builds.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List the builds, the oldest first."""
    with platform() as container:
        found = container.builds().all()
    if as_json:
        print_json(found)
        return
    rows = [
        (b.name, b.purpose, b.position, b.recorded_until, "ready" if b.ready else "INCOMPLETE", b.code_version)
        for b in found
    ]
    print_table("Builds", ("name", "of", "position", "recorded until", "", "code"), rows)


@builds.command("drop")
@click.argument("names", nargs=-1, required=True)
def drop(names: tuple[str, ...]) -> None:
    """Drop builds with all their tables; the log and the live tables stay as they are."""
    with platform() as container:
        for name in names:
            container.builds().drop(name)
            console.print(f"{name} is dropped")


@click.command()
@click.argument("first")
@click.argument("second")
@click.argument("kpis", nargs=-1, metavar="[KPI]...")
@click.option("--policy", default="default", show_default=True, help="What counts as late and in full.")
@click.option(
    "--limit", default=3, show_default=True, type=click.IntRange(0, MOST), help="Rows to name behind each KPI."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def diff(  # noqa: PLR0917
    first: str, second: str, kpis: tuple[str, ...], policy: str, limit: int, as_json: bool
) -> None:
    """Say which KPIs moved from one build to another, by how much, and which events moved them.

    FIRST and SECOND are names of builds, or `live`.
    """
    with platform() as container:
        (measured_by,) = policies_of(container, (policy,))
        found = difference(container.builds(), first, second, kpis, limit, policy=measured_by)
    if as_json:
        print_json(found.report())
    else:
        _print(found)


def print_made(made: MadeBuild) -> None:
    """Say what was built."""
    build = made.build
    console.print(f"{made.events:,} events, up to position {build.position:,}, are kept as {build.name}")
    if made.ahead:
        console.print(
            f"{made.ahead:,} of them name a later recorded time: a clock ran ahead; they were in the log before the "
            "last event recorded by then"
        )


def _print(found: BuildDifference) -> None:
    one, other = found.first, found.second
    title = f"From {one.name} (position {one.position:,}) to {other.name} (position {other.position:,})"
    rows = [
        (m.kpi.title, shown(m.kpi, m.first), shown(m.kpi, m.second), _change(m), _unit(found, m.kpi), m.behind.rows)
        for m in found.moves
    ]
    print_table(title, ("KPI", one.name, other.name, "change", "unit", "rows behind"), rows)
    for move in found.moves:
        _print_behind(move.kpi, move)
    console.print(f"{len(found.moves)} KPIs moved, {found.unmoved} did not")


def _unit(found: BuildDifference, kpi: Kpi) -> str:
    of = found.currencies[kpi.name].all if kpi.unit == "money" and kpi.name in found.currencies else ()
    return " + ".join(of) or kpi.unit


def _change(move: Move) -> object:
    if move.kpi.unit == "ratio" and move.change is not None:
        return f"{move.change * 100:+.1f} points"
    return shown(move.kpi, move.change)


def _print_behind(kpi: Kpi, move: Move) -> None:
    topics = ", ".join(f"{number:,} {topic}" for topic, number in move.behind.topics)
    console.print(f"{kpi.title}: {move.behind.rows:,} rows; events of their streams between: {topics or 'none'}")
    for row in move.behind.differences:
        # The key of a level leaves out the day, which is another one after it; the name has the latest.
        values = row.rebuilt or row.live or row.key
        print_rows(key_name(kpi.fact.name, [values[column] for column in kpi.fact.key]), row, ("before", "after"))
        print_events(row)
