"""The report: the figures that a supply-chain team looks at first, in a few tables."""

from __future__ import annotations

from typing import NamedTuple

from application.ports.analytics import Analytics, Period
from application.queries.dimensions import DIMENSIONS
from application.queries.figures import KpiTable, kpi_table
from application.queries.policies import DEFAULT, Policy


class Section(NamedTuple):
    """A table of the report: its title, the KPIs it shows, and what they are broken down by."""

    title: str
    kpis: tuple[str, ...]
    by: str | None = None


SECTIONS = (
    Section(
        "Orders",
        (
            "orders",
            "units",
            "gross",
            "net",
            "freight",
            "orders_shipped",
            "orders_late",
            "on_time_rate",
            "otif_rate",
            "perfect_order_rate",
            "fill_rate",
            "order_cycle_time_days",
        ),
    ),
    Section("Stock", ("stock_units", "stock_value", "below_reorder_point")),
    Section("By month", ("orders", "net", "orders_shipped", "orders_late", "on_time_rate", "fill_rate"), "month"),
    Section("By carrier", ("orders", "orders_shipped", "orders_late", "on_time_rate"), "carrier"),
    Section("By category", ("orders", "units", "net", "fill_rate"), "category"),
)


def report(
    analytics: Analytics, period: Period | None = None, *, policy: Policy = DEFAULT, compare: bool = False
) -> list[tuple[Section, KpiTable]]:
    """Measure every section; with `compare`, the period before too, but for sections by month.

    Raises:
        UnsupportedComparisonError, AnalyticsUnavailableError: as `kpi_table` does.
    """
    return [
        (
            each,
            kpi_table(analytics, each.kpis, by=each.by, period=period, policies=[policy], compare=_can(each, compare)),
        )
        for each in SECTIONS
    ]


def _can(section: Section, compare: bool) -> bool:
    return compare and not (section.by and DIMENSIONS[section.by].time)
