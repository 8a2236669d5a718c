"""Money on the pages names the currencies that it adds up: tiles, charts, bars and columns of tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from application.ports.analytics import EVERYTHING, Measured, Period, Selection
from application.ports.inbox import Balance
from application.ports.listings import Star
from application.queries.definitions import Dimension, Kpi
from application.queries.views.choice import Choice
from application.queries.views.inventory import inventory
from application.queries.views.overview import overview
from application.queries.views.shapes import bars_as_table, series_as_table
from application.queries.views.suppliers import suppliers
from tests.unit.application.queries.views.answering import Answers

WEEK = Period(date(2026, 2, 23), date(2026, 3, 1))
CHOICE = Choice(datetime(2026, 3, 1, 12, tzinfo=UTC), WEEK)
INBOX = cast(Any, SimpleNamespace(waiting=dict, balance=lambda: Balance(1, 1, 0, 0)))
CASES = pytest.mark.parametrize(
    ("currencies", "named"),
    [((), ""), (("EUR",), " EUR"), (("EUR", "USD"), " EUR + USD"), ((None,), " unstated currency")],
    ids=["no money", "one", "several", "nobody said which"],
)


def star(currencies: tuple[str | None, ...], kind: type[Answers] = Answers) -> Star:
    money: Any = {"net": Decimal(1), "spend": Decimal(1), "stock_value": Decimal(1), "orders": 1, "stock_units": 1}
    members: Any = {name: {"x": money} for name in ("category", "country", "supplier", "location")}
    by = members | {"currency": dict.fromkeys(currencies, money), "day": {"2026-02-28": money}}
    return cast(Star, kind(money, period=WEEK, before=money, by=by))


@CASES
def test_sales_over_time_and_by_member_name_their_currencies(currencies: tuple[str | None, ...], named: str) -> None:
    shown = overview(star(currencies), INBOX, CHOICE)
    assert [each.title for each in shown.over_time] == ["Orders by day", f"Net sales{named} by day"]
    assert [each.title for each in shown.sales] == [
        f"Net sales{named} by product category",
        f"Net sales{named} by country",
    ]
    # What is exported is called as what is drawn.
    assert series_as_table(shown.over_time[1]).columns[1].title == f"Net sales{named} by day"
    assert bars_as_table(shown.sales[0]).title == f"Net sales{named} by product category"


@CASES
def test_spend_names_its_currencies(currencies: tuple[str | None, ...], named: str) -> None:
    shown = suppliers(star(currencies), CHOICE)
    assert shown.spend.title == f"Spend{named} by supplier"
    assert [column.title for column in shown.ranking.columns][-1] == f"Spend{named}"


@CASES
def test_the_value_of_stock_names_its_currencies(currencies: tuple[str | None, ...], named: str) -> None:
    shown = inventory(star(currencies), CHOICE)
    assert [each.title for each in shown.over_time] == ["Stock on hand by day", f"Stock value{named} by day"]
    assert f"Stock value{named}" in [column.title for column in shown.locations.columns]


class SoldOff(Answers):
    """Stock in dollars within the week, and none at its end."""

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        at_the_end = where.period is None or kpis[0].fact.snapshot
        found = super().measure(kpis, by, where)
        return [row for row in found if not (at_the_end and row.member.key == "USD")]


def test_a_chart_of_stock_names_the_currencies_of_all_its_days() -> None:
    shown = inventory(star(("EUR", "USD"), SoldOff), CHOICE)
    assert shown.over_time[1].title == "Stock value EUR + USD by day"
    assert "Stock value EUR" in [tile.title for tile in shown.levels]
    assert "Stock value EUR" in [column.title for column in shown.locations.columns]
