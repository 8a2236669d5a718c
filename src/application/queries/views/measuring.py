"""Figures for a page: KPIs within what was chosen, put into the shapes of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from application.ports.analytics import Figure, Measured, Member, Period
from application.ports.listings import Star
from application.queries.currencies import currencies, titled
from application.queries.definitions import Dimension, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.figures import KpiTable
from application.queries.kpis import KPIS
from application.queries.periods import previous
from application.queries.policies import under
from application.queries.views.choice import Choice
from application.queries.views.shapes import (
    Bar,
    Bars,
    Column,
    Form,
    Series,
    Step,
    Table,
    Tile,
    bars,
    days_of,
    number,
)
from application.queries.views.words import change_in_words, in_short, in_words, is_better, label

TOTAL = Member(None, None)
Steps = Sequence[tuple[str, Mapping[str, Figure]]]
"""Figures by KPI for each day or week, by its key."""
_FORMS: dict[str, Form] = {"money": "money", "ratio": "ratio", "days": "number", "hours": "number", "km": "number"}


def named(choice: Choice, names: Iterable[str], *own: Kpi) -> list[Kpi]:
    """Return KPIs by name, as the chosen policy means them; those that have a title for this page as they are."""
    by_name = {kpi.name: kpi for kpi in own}
    return [by_name.get(name) or under(KPIS[name], choice.policy) for name in names]


def measured(
    star: Star, kpis: Sequence[Kpi], choice: Choice, period: Period | None, by: Dimension | None = None
) -> dict[Member, dict[str, Figure]]:
    """Return figures by member and KPI: each fact within those filters that it knows.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    found: dict[Member, dict[str, Figure]] = {} if by else {TOTAL: {}}
    for fact, group in groupby(sorted(kpis, key=lambda kpi: kpi.fact.name), key=lambda kpi: kpi.fact):
        for row in star.measure(list(group), by, choice.where(fact, period)):
            found.setdefault(row.member, {}).update(row.figures)
    return {member: {kpi.name: figures.get(kpi.name) for kpi in kpis} for member, figures in found.items()}


def by_step(star: Star, kpis: Sequence[Kpi], choice: Choice) -> Steps:
    """Measure KPIs over the chosen period by day, or by week where it is long, the oldest first."""
    rows = measured(star, kpis, choice, choice.period, DIMENSIONS[choice.step])
    return sorted(((member.key, figures) for member, figures in rows.items() if member.key), key=lambda row: row[0])


def tiles(star: Star, kpis: Sequence[Kpi], choice: Choice, steps: Steps = ()) -> tuple[Tile, ...]:
    """Measure KPIs over the chosen period, against the one before where there is one; `steps` are their trends."""
    now = measured(star, kpis, choice, choice.period)[TOTAL]
    before = {TOTAL: measured(star, kpis, choice, previous(choice.period))[TOTAL]} if choice.period else None
    table = KpiTable(0, tuple(kpis), None, (Measured(TOTAL, now),), (choice.policy,), before)
    return tuple(_tile(table, kpi, _trend(steps, kpi)) for kpi in kpis)


def levels(star: Star, kpis: Sequence[Kpi], choice: Choice) -> tuple[Tile, ...]:
    """Measure KPIs as they stand now, whatever the period."""
    now = measured(star, kpis, choice, None)[TOTAL]
    table = KpiTable(0, tuple(kpis), None, (Measured(TOTAL, now),))
    return tuple(_tile(table, kpi, ())._replace(level=True) for kpi in kpis)


def in_currencies(star: Star, kpi: Kpi, choice: Choice, period: Period | None) -> Kpi:
    """Return a sum of money that names the currencies which it adds up, so that a mixture is seen as one."""
    added_up = currencies(star, [kpi], None, choice.where(kpi.fact, period))[kpi.name].now
    return replace(kpi, title=titled(kpi, added_up))


def comparable(star: Star, shown: tuple[Tile, ...], kpi: Kpi, choice: Choice) -> tuple[Tile, ...]:
    """Take the change from the tile of a sum of money, as `in_currencies` named it, where it had others before."""

    def compared(tile: Tile) -> Tile:
        if tile.change and choice.period:
            before = in_currencies(star, KPIS[kpi.name], choice, previous(choice.period))
            if before.title != kpi.title:
                return tile._replace(change=None, better=None)
        return tile

    return tuple(compared(tile) if tile.name == kpi.name else tile for tile in shown)


def over_time(steps: Steps, kpis: Sequence[Kpi], choice: Choice) -> tuple[Series, ...]:
    """Draw what was measured by steps."""
    return tuple(
        Series(
            f"{kpi.title} by {choice.step}",
            tuple(
                Step(*days_of(key), float(figures[kpi.name] or 0), in_words(kpi, figures[kpi.name]))
                for key, figures in steps
            ),
        )
        for kpi in kpis
    )


def bars_by(star: Star, kpi: Kpi, by: Dimension, choice: Choice, title: str) -> Bars:
    """Measure a KPI by the members of a dimension, the greatest first."""
    rows = measured(star, [kpi], choice, choice.period, by)
    return bars(
        title,
        (
            Bar(label(member), float(figures[kpi.name] or 0), in_words(kpi, figures[kpi.name]))
            for member, figures in rows.items()
            if figures[kpi.name]
        ),
    )


def table_by(star: Star, kpis: Sequence[Kpi], by: Dimension, choice: Choice, title: str) -> Table:
    """Measure KPIs by the members of a dimension, in order of their names."""
    found = measured(star, kpis, choice, choice.period, by)
    rows = sorted(found.items(), key=lambda row: label(row[0]).casefold())
    return Table(
        title,
        (Column(by.title), *map(column_of, kpis)),
        tuple((label(member), *(figures[kpi.name] for kpi in kpis)) for member, figures in rows),
        tuple(member.key or "" for member, _ in rows),
    )


def column_of(kpi: Kpi) -> Column:
    """Return a KPI's column: its title, with the unit where the form does not say it."""
    unit = f" ({kpi.unit})" if kpi.unit in {"days", "hours", "km"} else ""
    return Column(f"{kpi.title}{unit}", _FORMS.get(kpi.unit, "count"))


def _trend(steps: Steps, kpi: Kpi) -> tuple[float | None, ...]:
    """Return a figure from the first step to the last, those between in which nothing happened included."""
    trend: list[float | None] = []
    expected: date | None = None
    for key, figures in steps:
        first, end = days_of(key)
        trend += [number(kpi.of_nothing)] * ((first - (expected or first)) // (end - first))
        trend.append(number(figures[kpi.name]))
        expected = end
    return tuple(trend)


def _tile(table: KpiTable, kpi: Kpi, trend: tuple[float | None, ...]) -> Tile:
    (row,) = table.rows
    change = table.change(row, kpi)
    text, meaning = in_short(kpi, row.figures[kpi.name]), kpi.description
    return Tile(kpi.name, kpi.title, text, meaning, change_in_words(kpi, change), is_better(kpi, change), trend)
