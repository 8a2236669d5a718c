"""The dashboard's overview: every figure that its page shows, measured and put into words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from application.ports.analytics import Analytics, Figure, Measured, Period
from application.ports.event_store import EventStore
from application.ports.inbox import Balance, Inbox
from application.queries.definitions import Kpi
from application.queries.figures import KpiTable, kpi_table
from application.queries.kpis import KPIS
from application.queries.policies import DEFAULT, Policy
from domain.shared.measures import round_money

FLOWS = ("orders", "net", "on_time_rate", "fill_rate", "order_cycle_time_days")
LEVELS = ("stock_value", "below_reorder_point", "units_backordered")
STOCK = ("stock_units", "stock_available", "stock_value", "below_reorder_point", "out_of_stock")
MOST_BARS = 12
"""Quarantined messages looked at for their reasons; they come with their payload."""


class Span(NamedTuple):
    """How far back the page looks, and the steps of its charts over time; all there is without `days`."""

    days: int | None
    step: Literal["day", "week"]

    def period(self, today: date) -> Period | None:
        """Return the days that end with `today`."""
        return None if self.days is None else Period(today - timedelta(days=self.days - 1), today)


SPANS: dict[str, Span] = {
    "Last 30 days": Span(30, "day"),
    "Last 90 days": Span(90, "day"),
    "All": Span(None, "week"),
}


class Freshness(NamedTuple):
    """The position that the figures are true up to, how far the log is ahead of it, and when they were read."""

    position: int
    behind: int
    at: datetime


class Tile(NamedTuple):
    """One figure in words, with what it means; `change` against the period before, and whether it is good."""

    name: str
    title: str
    text: str
    meaning: str
    change: str | None = None
    better: bool | None = None


class Step(NamedTuple):
    """A day or week from `first` until before `end`."""

    first: date
    end: date
    value: float
    text: str


class Series(NamedTuple):
    """A figure over time."""

    title: str
    steps: tuple[Step, ...]


class Bar(NamedTuple):
    """A member of a dimension: `value` is drawn, `text` says it."""

    label: str
    value: float
    text: str


class Bars(NamedTuple):
    """A figure by the members of a dimension, the greatest first."""

    title: str
    bars: tuple[Bar, ...]


class Table(NamedTuple):
    """Figures by the members of a dimension, in words."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Messages(NamedTuple):
    """What was received, and why messages wait in quarantine: reasons with their number, the most frequent first."""

    balance: Balance
    reasons: tuple[tuple[str, int], ...]


class Overview(NamedTuple):
    """What the page shows: `flows` of the span that was chosen, `levels` and `stock` as they are now."""

    freshness: Freshness
    flows: tuple[Tile, ...]
    levels: tuple[Tile, ...]
    over_time: tuple[Series, ...]
    late: Bars
    sales: Bars
    stock: Table
    messages: Messages


class NothingYet(NamedTuple):
    """There is nothing to show: why, and the commands that change it."""

    reason: str
    commands: tuple[str, ...]


def overview(
    analytics: Analytics, inbox: Inbox, events: EventStore, span: Span, now: datetime, *, policy: Policy = DEFAULT
) -> Overview | NothingYet:
    """Measure the overview at `now` (with a UTC offset; days are those of UTC), late as the policy says.

    Raises:
        AnalyticsUnavailableError, StoreUnavailableError: there is nothing to read from.
    """
    messages = _messages(inbox)
    position = analytics.position() if messages.balance.applied else 0
    if not position:
        return _nothing_yet(messages.balance)
    period = span.period(now.date())
    return Overview(
        Freshness(position, max(0, events.head() - position), now),
        _flows(analytics, period, policy),
        _tiles(analytics, LEVELS, None),
        _over_time(analytics, span, period),
        _late(analytics, period, policy),
        _sales(analytics, period),
        _stock(analytics),
        messages,
    )


def in_words(kpi: Kpi, figure: Figure) -> str:
    """Return a figure as people read it: money in cents, shares as percentages, a dash where there is none."""
    if figure is None:
        return "–"
    if kpi.unit == "money":
        return f"{round_money(Decimal(figure)):,.2f}"
    if kpi.unit == "ratio":
        return f"{figure * 100:.1f}%"
    return f"{figure:,.1f} days" if kpi.unit == "days" else f"{figure:,}"


def _nothing_yet(balance: Balance) -> NothingYet:
    if balance.applied:
        return NothingYet("Messages were taken in, but the read models are empty.", ("dataflow project --once",))
    if balance.received:
        return NothingYet("No message could be applied: all are in quarantine.", ("dataflow quarantine list",))
    making = ("dataflow generate", "dataflow consume --once", "dataflow project --once")
    return NothingYet("No message was received yet. These commands make some up, and take them in.", making)


def in_words_of_change(table: KpiTable, row: Measured, kpi: Kpi) -> str | None:
    """Return the change against the period before: percent of it, of a share percentage points; None: not known."""
    change = table.change(row, kpi)
    if kpi.unit == "ratio":
        return None if change.difference is None else f"{change.difference * 100:+.1f} points"
    return None if change.ratio is None else f"{change.ratio * 100:+.1f}%"


def _tiles(
    analytics: Analytics, names: tuple[str, ...], period: Period | None, policy: Policy = DEFAULT
) -> tuple[Tile, ...]:
    table = kpi_table(analytics, names, period=period, policies=[policy], compare=period is not None)
    return tuple(_tile(table, kpi) for kpi in table.kpis)


def _tile(table: KpiTable, kpi: Kpi) -> Tile:
    (row,) = table.rows
    text, change = in_words(kpi, row.figures[kpi.name]), in_words_of_change(table, row, kpi)
    difference = table.change(row, kpi).difference
    better = (difference > 0) == (kpi.direction == "up") if change and difference and kpi.direction != "none" else None
    return Tile(kpi.name, kpi.title, text, kpi.description, change, better)


def _flows(analytics: Analytics, period: Period | None, policy: Policy) -> tuple[Tile, ...]:
    """Name the currencies that net sales add up, so that a mixture is seen as one."""
    currencies = [str(row.member.key) for row in kpi_table(analytics, ("net",), by="currency", period=period).rows]
    title = " ".join([KPIS["net"].title, " + ".join(currencies)]).strip()
    tiles = _tiles(analytics, FLOWS, period, policy)
    return tuple(tile._replace(title=title) if tile.name == "net" else tile for tile in tiles)


def _over_time(analytics: Analytics, span: Span, period: Period | None) -> tuple[Series, ...]:
    table = kpi_table(analytics, ("orders", "net"), by=span.step, period=period)
    return tuple(Series(f"{kpi.title} by {span.step}", tuple(_steps(kpi, table.rows))) for kpi in table.kpis)


def _steps(kpi: Kpi, rows: Iterable[Measured]) -> Iterable[Step]:
    for row in rows:
        if row.member.key is not None:
            first, end = _days(row.member.key)
            figure = row.figures[kpi.name]
            yield Step(first, end, float(figure or 0), in_words(kpi, figure))


def _days(key: str) -> tuple[date, date]:
    """Return the first day, and the day after the last, of a day (2026-02-28) or an ISO week (2026-W09)."""
    year, week, of_week = key.partition("-W")
    if week:
        monday = date.fromisocalendar(int(year), int(of_week), 1)
        return monday, monday + timedelta(days=7)
    day = date.fromisoformat(key)
    return day, day + timedelta(days=1)


def _late(analytics: Analytics, period: Period | None, policy: Policy) -> Bars:
    names = ("orders_late", "orders_shipped")
    table = kpi_table(analytics, names, by="carrier", period=period, policies=[policy])
    shipped = [row for row in table.rows if row.figures["orders_shipped"]]
    return _bars("Orders late, by carrier", shipped, "orders_late", of="orders_shipped")


def _sales(analytics: Analytics, period: Period | None) -> Bars:
    table = kpi_table(analytics, ("net",), by="category", period=period)
    return _bars("Net sales by product category", table.rows, "net")


def _bars(title: str, rows: Iterable[Measured], name: str, of: str | None = None) -> Bars:
    bars = sorted((_bar(row, name, of) for row in rows), key=lambda bar: (-bar.value, bar.label))
    if len(bars) > MOST_BARS:
        title = f"{title}: the first {MOST_BARS} of {len(bars)}"
    return Bars(title, tuple(bars[:MOST_BARS]))


def _bar(row: Measured, name: str, of: str | None) -> Bar:
    figure = row.figures[name]
    text = in_words(KPIS[name], figure)
    if of is not None:
        text = f"{text} of {in_words(KPIS[of], row.figures[of])}"
    return Bar(_label(row), float(figure or 0), text)


def _stock(analytics: Analytics) -> Table:
    table = kpi_table(analytics, STOCK, by="location")
    rows = (
        (_label(row), *(in_words(kpi, row.figures[kpi.name]) for kpi in table.kpis))
        for row in sorted(table.rows, key=_label)
    )
    return Table("Stock by location", ("Location", *(kpi.title for kpi in table.kpis)), tuple(rows))


def _label(row: Measured) -> str:
    return row.member.label or "unknown"


def _messages(inbox: Inbox) -> Messages:
    ordered = sorted(inbox.waiting().items(), key=lambda reason: (-reason[1], reason[0]))
    return Messages(inbox.balance(), tuple(ordered))
