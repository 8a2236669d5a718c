"""Where the chosen days have no rows, and only there, it is known on which days there are some."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import cast

import pytest

from application.ports.analytics import EVERYTHING, Measured, Member, Period, Selection
from application.ports.listings import Star
from application.queries.definitions import ORDER_LINES, ORDERS, SHIPMENTS, STOCK_DAYS, Dimension, Fact, Kpi
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.elsewhere import SHOWN, days_elsewhere, facts_of_figure
from application.queries.views.explaining import TITLES

ORDERED = [date(1996, 7, 4), date(1998, 5, 6)]
PLANNED = [date(1996, 7, 10), date(1998, 5, 20)]
DAYS = {ORDERS.name: ORDERED, SHIPMENTS.name: PLANNED}
LATER = Period(date(2026, 11, 1), date(2026, 11, 30))


class Dated:
    """Knows the days of the rows of each fact, and which questions it was asked."""

    def __init__(self, days: dict[str, list[date]]) -> None:
        self.days = days
        self.asked: list[Selection] = []

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        self.asked.append(where)
        return [Measured(Member(None, None), {kpi.name: self._end(kpi, where.period) for kpi in kpis})]

    def _end(self, kpi: Kpi, period: Period | None) -> int | None:
        end, _, column = kpi.expression.partition("(f.")
        assert column == f"{kpi.fact.date_key})"
        found = [day for day in self.days.get(kpi.fact.name, []) if period is None or period.first <= day <= period[1]]
        return int(f"{(min if end == 'min' else max)(found):%Y%m%d}") if found else None


def elsewhere(
    days: dict[str, list[date]], period: Period | None, facts: Sequence[Fact] = (ORDERS, SHIPMENTS)
) -> object:
    return days_elsewhere(cast(Star, Dated(days)), facts, Choice(datetime(2026, 11, 30, tzinfo=UTC), period))


def test_days_without_rows_of_any_fact_know_where_all_rows_lie() -> None:
    assert elsewhere(DAYS, LATER) == Period(date(1996, 7, 4), date(1998, 5, 20))


@pytest.mark.parametrize(
    "period",
    [None, Period(date(1998, 5, 6), date(1998, 5, 6)), Period(date(1998, 5, 20), date(2026, 1, 1))],
    ids=["all days", "rows of one fact", "rows of the other"],
)
def test_where_there_are_rows_nothing_is_said(period: Period | None) -> None:
    assert elsewhere(DAYS, period) is None


def test_a_gap_between_rows_is_without_rows_too() -> None:
    assert elsewhere(DAYS, Period(date(1997, 1, 1), date(1997, 1, 31))) == Period(date(1996, 7, 4), date(1998, 5, 20))


def test_where_nothing_is_there_at_all_nothing_is_said() -> None:
    assert elsewhere({}, LATER) is None
    assert elsewhere(DAYS, LATER, ()) is None


def test_filters_do_not_count_and_days_with_rows_cost_one_question() -> None:
    star = Dated(DAYS)
    within = Period(date(1996, 7, 1), date(1996, 7, 31))
    choice = Choice(datetime(2026, 11, 30, tzinfo=UTC), within, {"carrier": ("DHL",)})
    assert days_elsewhere(cast(Star, star), (ORDERS, SHIPMENTS), choice) is None
    assert star.asked == [Selection(period=within)]


def test_all_figures_are_of_facts_whose_rows_have_days_but_for_levels() -> None:
    for name in TITLES:
        facts = facts_of_figure(name)
        assert not any(fact.snapshot or fact.rows != "true" for fact in facts)
        assert bool(facts) != (name in KPIS and KPIS[name].fact.snapshot)
    assert facts_of_figure("units_backordered") == (ORDER_LINES,)
    assert facts_of_figure("overdue_shipments") == (SHIPMENTS,)
    assert SHOWN["inventory"] == (STOCK_DAYS,)
