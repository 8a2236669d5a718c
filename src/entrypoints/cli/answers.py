"""Figures: `dataflow kpi` and `dataflow report`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from application.ports.analytics import Figure, Period
from application.queries.definitions import Kpi
from application.queries.figures import KpiTable, as_json, kpi_table
from application.queries.report import report as measure_report
from domain.shared.measures import round_money
from entrypoints.cli.context import platform
from entrypoints.cli.output import errors, print_json, print_table
from entrypoints.container import Container

Day = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("names", nargs=-1)
@click.option("--by", help="Break down by year, month, carrier, supplier, category, ...")
@click.option("--where", "conditions", multiple=True, metavar="DIMENSION=MEMBER", help="Only these members.")
@click.option("--from", "first", type=Day, help="First day.")
@click.option("--to", "last", type=Day, help="Last day.")
@click.option("--json", "as_json_", is_flag=True, help="Print as JSON, unrounded.")
def kpi(
    names: tuple[str, ...],
    by: str | None,
    conditions: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    as_json_: bool,
) -> None:
    """Show KPIs: those named, or all that the breakdown and the filters allow."""
    with platform() as container:
        _warn_if_behind(container)
        table = kpi_table(
            container.analytics(), names, by=by, members=_members(conditions), period=_period(first, last)
        )
    if as_json_:
        print_json(as_json(table))
    else:
        print_kpi_table("KPIs", table)


@click.command()
@click.option("--from", "first", type=Day, help="First day.")
@click.option("--to", "last", type=Day, help="Last day.")
@click.option("--json", "as_json_", is_flag=True, help="Print as JSON, unrounded.")
def report(first: datetime | None, last: datetime | None, as_json_: bool) -> None:
    """Show the figures that a supply-chain team looks at first."""
    with platform() as container:
        _warn_if_behind(container)
        sections = measure_report(container.analytics(), _period(first, last))
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
    headings = (table.by.title, *(kpi.title for kpi in table.kpis))
    body = [
        (row.member.label or "unknown", *(shown(kpi, row.figures[kpi.name]) for kpi in table.kpis))
        for row in table.rows
    ]
    print_table(title, headings, body)


def shown(kpi: Kpi, figure: Figure) -> Any:
    """Return a figure as people read it: money in cents, shares as percentages."""
    if figure is None or isinstance(figure, int):
        return figure
    if kpi.unit == "ratio":
        return f"{figure * 100:.1f}%"
    return round_money(Decimal(figure))


def _members(conditions: tuple[str, ...]) -> dict[str, list[str | None]]:
    members: dict[str, list[str | None]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise click.BadParameter(f"{condition!r} is not DIMENSION=MEMBER", param_hint="--where")
        members.setdefault(name, []).append(value)
    return members


def _period(first: datetime | None, last: datetime | None) -> Period | None:
    if first is None and last is None:
        return None
    return Period((first or datetime.min).date(), (last or datetime.max).date())


def _warn_if_behind(container: Container) -> None:
    behind = container.event_store().head() - container.read_model().position()
    if behind > 0:
        errors.print(f"note: the figures are {behind:,} positions behind the log; `dataflow project` catches up")
