"""The shapes that pages are made of: tiles, figures over time, bars and tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal, NamedTuple

from application.ports.analytics import Figure

MOST_BARS = 12
Form = Literal["text", "count", "money", "ratio", "number", "day", "time", "flag"]


class Tile(NamedTuple):
    """One figure in words, with what it means.

    `change` is against the period before, and `better` whether that is good; `trend` are figures over time, the
    oldest first, None where they are not known. `name` is the KPI that explains it, over all days where it is a
    `level`.
    """

    name: str
    title: str
    text: str
    meaning: str
    change: str | None = None
    better: bool | None = None
    trend: tuple[float | None, ...] = ()
    level: bool = False


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
    """Figures by the members of a dimension."""

    title: str
    bars: tuple[Bar, ...]


class Column(NamedTuple):
    """A column of a table: its title, and how its values are written."""

    title: str
    form: Form = "text"


class Table(NamedTuple):
    """Rows for people to read; `keys` names each row, where it leads somewhere."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    keys: tuple[str, ...] = ()


def bars(title: str, made: Iterable[Bar]) -> Bars:
    """Return the greatest bars, the first one first; the title says how many there are where that's not all."""
    ordered = sorted(made, key=lambda bar: (-bar.value, bar.label))
    if len(ordered) > MOST_BARS:
        title = f"{title}: the first {MOST_BARS} of {len(ordered)}"
    return Bars(title, tuple(ordered[:MOST_BARS]))


def line(trend: Sequence[float | None]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the parts of a line over a trend, each the points of what is known without a gap.

    Points are within 100 by 100, from left to right, the greatest figure at 0. One point alone makes no line.
    """
    known = [value for value in trend if value is not None]
    if len(known) < 2:
        return ()
    least, most = min(known), max(known)
    points = [
        None if value is None else (100 * at / (len(trend) - 1), 100 * (most - value) / (most - least or 1))
        for at, value in enumerate(trend)
    ]
    parts = (tuple(point for point in part if point) for _, part in groupby(points, lambda point: point is None))
    return tuple(part for part in parts if part)


def days_of(key: str) -> tuple[date, date]:
    """Return the first day, and the day after the last, of a day (2026-02-28) or an ISO week (2026-W09)."""
    year, week, of_week = key.partition("-W")
    if week:
        monday = date.fromisocalendar(int(year), int(of_week), 1)
        return monday, monday + timedelta(days=7)
    day = date.fromisoformat(key)
    return day, day + timedelta(days=1)


def number(figure: Figure) -> float | int | None:
    """Return a figure for drawing and sorting; what is shown in words, and exported, is exact."""
    return float(figure) if isinstance(figure, Decimal) else figure


def as_csv(table: Table) -> str:
    """Return a table as CSV (RFC 4180) with its titles: every digit of its figures, times in ISO 8601."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(column.title for column in table.columns)
    writer.writerows([_plain(value) for value in row] for row in table.rows)
    return text.getvalue()


def series_as_table(series: Series) -> Table:
    """Return what a chart over time shows, as a table."""
    return Table(
        series.title, (Column("From", "day"), Column(series.title)), tuple((s.first, s.text) for s in series.steps)
    )


def bars_as_table(drawn: Bars) -> Table:
    """Return what a bar chart shows, as a table."""
    return Table(drawn.title, (Column("Name"), Column("Figure")), tuple((bar.label, bar.text) for bar in drawn.bars))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else "" if value is None else value
