"""The figures of a day's report: the day and its week, service, carriers, suppliers, stock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from application.daily.document import POINTS, SHARE, Cell, Chart, Section, figure, plain, table, text
from application.daily.titles import titles
from application.ports.analytics import Analytics, Figure, Measured, Period
from application.queries.definitions import Kpi
from application.queries.figures import KpiTable, kpi_table
from application.queries.periods import previous
from application.queries.policies import Policy

DAY_KPIS = (
    "orders",
    "units",
    "net",
    "orders_shipped",
    "units_backordered",
    "units_cancelled",
    "shipments",
    "shipments_delivered",
    "shipments_late",
    "units_received",
)
SERVICE_KPIS = (
    "otif_rate",
    "on_time_rate",
    "in_full_rate",
    "fill_rate",
    "perfect_order_rate",
    "orders_late",
    "orders_late_to_promise",
    "order_cycle_time_days",
    "delivery_on_time_rate",
)
STOCK_KPIS = ("stock_units", "stock_available", "stock_value", "below_reorder_point", "out_of_stock")
CARRIER_KPIS = ("shipments_delivered", "shipments_late", "delivery_on_time_rate", "delivery_delay_p95_hours")
SUPPLIER_KPIS = ("supplier_reliability", "supplier_lead_time_days", "supplier_lead_time_p95_days", "units_received")
_ON_WHICH_DAY = "An order counts on the day it was placed, a shipment on the day it was planned."
CHARTS = ("orders", "net", "on_time_rate", "delivery_on_time_rate")
WEEK, MONTH = 7, 28
WORST = 10
"""Carriers and suppliers that are named."""


def ending(day: date, days: int) -> Period:
    """Return the days that end with this one."""
    return Period(day - timedelta(days=days - 1), day)


def compared(
    analytics: Analytics,
    name: str,
    title: str,
    kpis: Sequence[str],
    spans: Sequence[tuple[str, Period]],
    *,
    policy: Policy,
    note: str = "",
) -> Section:
    """Measure KPIs over periods, each beside the one before it."""
    tables = [kpi_table(analytics, kpis, period=period, policies=[policy], compare=True) for _, period in spans]
    called = titles(analytics, tables[0].kpis, [each for _, period in spans for each in (period, previous(period))])
    rows = []
    for number, kpi in enumerate(tables[0].kpis):
        cells = [text(called[kpi.name])]
        for measured in tables:
            cells += _beside(measured, measured.rows[0], measured.kpis[number])
        rows.append(cells)
    head = ["", *(heading for span, _ in spans for heading in (span, f"{span} before", "change"))]
    return table(name, title, note, head, rows)


def the_day(analytics: Analytics, day: date, policy: Policy) -> Section:
    """Return the day against the one before, and its week against the week before."""
    spans = (("day", ending(day, 1)), ("week", ending(day, WEEK)))
    return compared(analytics, "day", "The day and its week", DAY_KPIS, spans, policy=policy, note=_ON_WHICH_DAY)


def service(analytics: Analytics, day: date, policy: Policy) -> Section:
    """Return how well orders were served that were placed in the week, and in four weeks."""
    spans = (("week", ending(day, WEEK)), ("4 weeks", ending(day, MONTH)))
    return compared(analytics, "service", "On time, in full", SERVICE_KPIS, spans, policy=policy)


def stock(analytics: Analytics, day: date) -> Section:
    """Return the levels at the end of the day, the day before and a week before."""
    days = [Period(date.min, day - timedelta(days=back)) for back in (0, 1, WEEK)]
    tables = [kpi_table(analytics, STOCK_KPIS, period=each) for each in days]
    called = titles(analytics, tables[0].kpis, days)
    rows = [
        [text(called[kpi.name]), *(figure(each.rows[0].figures[kpi.name], kpi.unit) for each in tables)]
        for kpi in tables[0].kpis
    ]
    return table("stock", "Stock", "At the end of the day.", ("", "day", "day before", "week before"), rows)


def late_carriers(analytics: Analytics, day: date) -> Section:
    """Return the carriers that delivered late, those with the most late shipments first."""
    measured = kpi_table(analytics, CARRIER_KPIS, by="carrier", period=ending(day, MONTH))
    late = [row for row in measured.rows if row.figures["shipments_late"]]
    late.sort(key=lambda row: (-Decimal(row.figures["shipments_late"] or 0), _name(row)))
    note = "Shipments planned in the last 4 weeks that arrived after the planned time."
    return _worst("carriers", "Late carriers", note, measured, late)


def late_suppliers(analytics: Analytics, day: date) -> Section:
    """Return the suppliers whose goods came after the agreed lead time, the least reliable first."""
    measured = kpi_table(analytics, SUPPLIER_KPIS, by="supplier", period=ending(day, MONTH))
    late = [row for row in measured.rows if (share := row.figures["supplier_reliability"]) is not None and share < 1]
    late.sort(key=_least_reliable)
    note = "Goods received in the last 4 weeks, against the lead time that the supplier had agreed to."
    return _worst("suppliers", "Late suppliers", note, measured, late)


def charts(analytics: Analytics, day: date, policy: Policy) -> tuple[Chart, ...]:
    """Return figures of the last four weeks, day by day."""
    period = ending(day, MONTH)
    measured = kpi_table(analytics, CHARTS, by="day", period=period, policies=[policy])
    called = titles(analytics, measured.kpis, [period])
    rows = {row.member.key: row.figures for row in measured.rows}
    days = [period.first + timedelta(days=number) for number in range(MONTH)]
    return tuple(
        Chart(
            kpi.name,
            called[kpi.name],
            kpi.unit,
            tuple((each, plain(rows.get(each.isoformat(), {}).get(kpi.name))) for each in days),
        )
        for kpi in measured.kpis
    )


def day_figures(analytics: Analytics, day: date, policy: Policy) -> dict[str, Figure]:
    """Return the figures of one day."""
    return kpi_table(analytics, DAY_KPIS, period=ending(day, 1), policies=[policy]).rows[0].figures


def _beside(measured: KpiTable, row: Measured, kpi: Kpi) -> list[Cell]:
    change = measured.change(row, kpi)
    part, unit = (change.difference, POINTS) if kpi.unit == "ratio" else (change.ratio, SHARE)
    better = None
    if change.difference and kpi.direction != "none":
        better = (change.difference > 0) == (kpi.direction == "up")
    return [
        figure(row.figures[kpi.name], kpi.unit),
        figure(change.previous, kpi.unit),
        Cell(plain(part), unit, better if part is not None else None),
    ]


def _worst(name: str, title: str, note: str, measured: KpiTable, rows: Sequence[Measured]) -> Section:
    head = (measured.by.title if measured.by else "", *(kpi.title for kpi in measured.kpis))
    cells = [
        [text(_name(row)), *(figure(row.figures[kpi.name], kpi.unit) for kpi in measured.kpis)] for row in rows[:WORST]
    ]
    more = f" The first {WORST} of {len(rows)}." if len(rows) > WORST else ""
    return table(name, title, note + more, head, cells)


def _least_reliable(row: Measured) -> tuple[Decimal, Decimal, str]:
    share, units = (Decimal(row.figures[name] or 0) for name in ("supplier_reliability", "units_received"))
    return share, -units, _name(row)


def _name(row: Measured) -> str:
    return row.member.label or "unknown"
