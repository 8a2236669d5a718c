"""Figures: `dataflow kpi` and `dataflow report`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from application.ports.analytics import Analytics, Figure, Period
from application.queries.definitions import Kpi
from application.queries.figures import KpiTable, as_json, find_dimension, kpi_table
from application.queries.report import report as measure_report
from domain.shared.measures import round_money
from entrypoints.cli.as_of import figures_of, of_build
from entrypoints.cli.context import platform
from entrypoints.cli.output import errors, print_json, print_table
from entrypoints.container import Container

Day = click.DateTime(["%Y-%m-%d"])
COLUMNS = 6
"""KPIs beside each other in a table with a breakdown; more go into the next table."""
NAMED = 10
"""Members that an error names."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--by", help="Break down by year, month, carrier, supplier, category, ...")
@click.option("--where", "conditions", multiple=True, metavar="DIMENSION=MEMBER", help="Only these members.")
@click.option("--from", "first", type=Day, help="First day.")
@click.option("--to", "last", type=Day, help="Last day.")
@of_build
@click.option("--json", "as_json_", is_flag=True, help="Print as JSON, unrounded.")
def kpi(  # noqa: PLR0917
    names: tuple[str, ...],
    by: str | None,
    conditions: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    build: str | None,
    as_json_: bool,
) -> None:
    """Show KPIs: those named, or all that the breakdown and the filters allow."""
    period = _period(first, last)
    with platform() as container:
        if build is None:
            _warn_if_behind(container)
        analytics = figures_of(container, build)
        table = kpi_table(analytics, names, by=by, members=_members(conditions, analytics), period=period)
    if as_json_:
        print_json(as_json(table))
    else:
        print_kpi_table("KPIs", table)


@click.command()
@click.option("--from", "first", type=Day, help="First day.")
@click.option("--to", "last", type=Day, help="Last day.")
@of_build
@click.option("--json", "as_json_", is_flag=True, help="Print as JSON, unrounded.")
def report(first: datetime | None, last: datetime | None, build: str | None, as_json_: bool) -> None:
    """Show the figures that a supply-chain team looks at first."""
    period = _period(first, last)
    with platform() as container:
        if build is None:
            _warn_if_behind(container)
        sections = measure_report(figures_of(container, build), period)
    if as_json_:
        print_json([{"title": section.title, **as_json(table)} for section, table in sections])
        return
    for section, table in sections:
        print_kpi_table(section.title, table)


def print_kpis(container: Container) -> None:
    """Print the report's tables."""
    for section, table in measure_report(container.analytics()):
        print_kpi_table(section.title, table)


def print_kpi_table(title: str, table: KpiTable) -> None:
    """Print a table of KPIs: one below the other, or one column each where there is a breakdown."""
    if table.by is None:
        figures = table.rows[0].figures
        rows = [(kpi.title, shown(kpi, figures[kpi.name]), kpi.unit) for kpi in table.kpis]
        print_table(title, ("KPI", "value", "unit"), rows)
        return
    for start in range(0, len(table.kpis), COLUMNS):
        kpis = table.kpis[start : start + COLUMNS]
        headings = (table.by.title, *(kpi.title for kpi in kpis))
        body = [
            (row.member.label or "unknown", *(shown(kpi, row.figures[kpi.name]) for kpi in kpis)) for row in table.rows
        ]
        print_table(title, headings, body)


def shown(kpi: Kpi, figure: Figure) -> Any:
    """Return a figure as people read it: money in cents, shares as percentages."""
    if figure is None or isinstance(figure, int):
        return figure
    if kpi.unit == "ratio":
        return f"{figure * 100:.1f}%"
    return round_money(Decimal(figure))


def _members(conditions: tuple[str, ...], analytics: Analytics) -> dict[str, list[str | None]]:
    """Read DIMENSION=MEMBER; a member is given by key or by name, the unknown one by nothing."""
    members: dict[str, list[str | None]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise click.BadParameter(f"{condition!r} is not DIMENSION=MEMBER", param_hint="--where")
        members.setdefault(name, []).append(_member(analytics, name, value) if value else None)
    return members


def _member(analytics: Analytics, dimension: str, value: str) -> str:
    known = [member for member in analytics.members(find_dimension(dimension)) if member.key]
    for key, label in known:
        if value in {key, label}:
            return str(key)
    named = ", ".join(f"{key} ({label})" if label != key else str(key) for key, label in known[:NAMED])
    more = f" and {len(known) - NAMED:,} more" if len(known) > NAMED else ""
    raise click.BadParameter(f"no {dimension} {value!r}; there are {named or 'none'}{more}", param_hint="--where")


def _period(first: datetime | None, last: datetime | None) -> Period | None:
    if first is None and last is None:
        return None
    if first and last and first > last:
        raise click.BadParameter(f"{first:%Y-%m-%d} is after --to {last:%Y-%m-%d}", param_hint="--from")
    return Period(first.date() if first else date.min, last.date() if last else date.max)


def _warn_if_behind(container: Container) -> None:
    behind = container.event_store().head() - container.read_model().position()
    if behind > 0:
        note = f"note: the figures are {behind:,} positions behind the log; `dataflow project` catches up"
        errors.print(note, soft_wrap=True)
