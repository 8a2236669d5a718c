"""Figures: `dataflow kpi` and `dataflow report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from application.ports.analytics import Analytics, Figure, Measured, Period
from application.queries.currencies import Currencies, currencies
from application.queries.definitions import Kpi
from application.queries.figures import KpiTable, as_json, kpi_table, selection
from application.queries.report import Section
from application.queries.report import report as measure_report
from domain.shared.measures import round_money
from entrypoints.cli.as_of import figures_of, of_build
from entrypoints.cli.context import platform
from entrypoints.cli.daily import print_daily
from entrypoints.cli.output import console, print_json, print_table
from entrypoints.cli.selecting import (
    Day,
    filters,
    members_of,
    note_mixtures,
    period_of,
    policies_of,
    units_of,
    warn_if_behind,
)
from entrypoints.container import Container
from entrypoints.report import FORMATS

_Sections = Sequence[tuple[Section, KpiTable]]
COLUMNS = 6
"""KPIs beside each other in a table with a breakdown; more go into the next table."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--by", help="Break down by year, month, carrier, supplier, category, ...")
@filters
@click.option("--compare", is_flag=True, help="Beside each figure, that of the period before, and the change.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME",
    help="What counts as late and in full; several stand side by side.  [default: default]",
)
@of_build
@click.option("--json", "as_json_", is_flag=True, help="Print as JSON, unrounded.")
def kpi(  # noqa: PLR0917
    names: tuple[str, ...],
    by: str | None,
    conditions: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    compare: bool,
    policies: tuple[str, ...],
    build: str | None,
    as_json_: bool,
) -> None:
    """Show KPIs: those named, or all that the breakdown and the filters allow."""
    period = period_of(first, last)
    with platform() as container:
        if build is None:
            warn_if_behind(container)
        analytics = figures_of(container, build)
        members = members_of(conditions, analytics)
        table = kpi_table(
            analytics,
            names,
            by=by,
            members=members,
            period=period,
            policies=policies_of(container, policies),
            compare=compare,
        )
        found = currencies(analytics, table.kpis, table.by, selection(members, period), table.period_before)
    note_mixtures([(table.kpis, found)])
    if as_json_:
        print_json(as_json(table))
    else:
        _print_period_before(table)
        print_kpi_table("KPIs", table, units_of(table.kpis, found))


@click.command()
@click.option("--from", "first", type=Day, help="First day.")
@click.option("--to", "last", type=Day, help="Last day.")
@click.option("--compare", is_flag=True, help="Beside each figure, that of the period before, and the change.")
@of_build
@click.option("--json", "as_json_", is_flag=True, help="Print as JSON, unrounded.")
@click.option("--date", "day", type=Day, help="The report of a business day, as it was kept.")
@click.option("--renew", is_flag=True, help="With --date: run the day, or make its report again.")
@click.option(
    "--format", "format_", type=click.Choice(list(FORMATS)), help="With --date: how to print it.  [default: md]"
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="With --date: write all formats here.")
def report(  # noqa: PLR0917
    first: datetime | None,
    last: datetime | None,
    compare: bool,
    build: str | None,
    as_json_: bool,
    day: datetime | None,
    renew: bool,
    format_: str | None,
    out: Path | None,
) -> None:
    """Show the figures that a supply-chain team looks at first.

    With --date, show the report of a business day: the day against the one before and its week, what was late, what to
    order, what was learned of earlier days. It stays what it was when the day was run.
    """
    if day is not None:
        if first or last or compare or build or as_json_:
            raise click.UsageError("--date goes with --renew, --format and --out alone")
        print_daily(day.date(), renew, format_ or "md", out)
        return
    if renew or format_ or out:
        raise click.UsageError("--renew, --format and --out go with --date")
    period = period_of(first, last)
    with platform() as container:
        if build is None:
            warn_if_behind(container)
        (policy,) = policies_of(container)
        analytics = figures_of(container, build)
        sections = measure_report(analytics, period, policy=policy, compare=compare)
        found = _currencies(analytics, sections, period)
    if as_json_:
        print_json([{"title": section.title, **as_json(table)} for section, table in sections])
        return
    _print_sections(sections, found)


def print_kpis(container: Container) -> None:
    """Print the report's tables."""
    (policy,) = policies_of(container)
    analytics = container.analytics()
    sections = measure_report(analytics, policy=policy)
    _print_sections(sections, _currencies(analytics, sections, None))


def _currencies(analytics: Analytics, sections: _Sections, period: Period | None) -> list[dict[str, Currencies]]:
    """Return the currencies of each section, and say on standard error which are several."""
    where = selection(None, period)
    found = [currencies(analytics, table.kpis, table.by, where, table.period_before) for _, table in sections]
    note_mixtures((table.kpis, of_table) for (_, table), of_table in zip(sections, found, strict=True))
    return found


def _print_period_before(table: KpiTable) -> None:
    if table.period_before is not None:
        console.print(f"compared with {table.period_before.first} to {table.period_before.last}")


def _print_sections(sections: _Sections, found: Sequence[Mapping[str, Currencies]]) -> None:
    _print_period_before(sections[0][1])
    for (section, table), of_table in zip(sections, found, strict=True):
        print_kpi_table(section.title, table, units_of(table.kpis, of_table))


def print_kpi_table(title: str, table: KpiTable, currency_of: Mapping[str, str]) -> None:
    """Print a table of KPIs: one below the other, or one column each where there is a breakdown."""
    if table.by is None:
        (row,) = table.rows
        compared = ("before", "change") if table.before is not None else ()
        rows = [(kpi.title, *_cells(table, row, kpi), currency_of.get(kpi.name, kpi.unit)) for kpi in table.kpis]
        print_table(title, ("KPI", "value", *compared, "unit"), rows)
        return
    step = COLUMNS // (3 if table.before is not None else 1)
    for start in range(0, len(table.kpis), step):
        kpis = table.kpis[start : start + step]
        body = [
            (row.member.label or "unknown", *(cell for kpi in kpis for cell in _cells(table, row, kpi)))
            for row in table.rows
        ]
        print_table(title, (table.by.title, *_headings(table, kpis, currency_of)), body)


def _headings(table: KpiTable, kpis: Sequence[Kpi], currency_of: Mapping[str, str]) -> list[str]:
    compared = ("before", "change") if table.before is not None else ()
    titles = [f"{kpi.title} {currency_of.get(kpi.name, '')}".rstrip() for kpi in kpis]
    return [heading for title in titles for heading in (title, *compared)]


def _cells(table: KpiTable, row: Measured, kpi: Kpi) -> tuple[Any, ...]:
    """Return a figure, and where it is compared the earlier one and the change: a share, of a share points."""
    figure = shown(kpi, row.figures[kpi.name])
    if table.before is None:
        return (figure,)
    change = table.change(row, kpi)
    part = change.difference if kpi.unit == "ratio" else change.ratio
    unit = " points" if kpi.unit == "ratio" else "%"
    return figure, shown(kpi, change.previous), None if part is None else f"{part * 100:+.1f}{unit}"


def shown(kpi: Kpi, figure: Figure) -> Any:
    """Return a figure as people read it: money in cents, shares as percentages."""
    if figure is None or isinstance(figure, int):
        return figure
    if kpi.unit == "ratio":
        return f"{figure * 100:.1f}%"
    return round_money(Decimal(figure))
