"""The overview is measured through ports: what it asks for, and how it puts the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from application.ports.analytics import (
    EVERYTHING,
    AnalyticsUnavailableError,
    Figure,
    Measured,
    Member,
    Period,
    Selection,
)
from application.ports.inbox import Balance
from application.queries.definitions import Dimension, Kpi
from application.queries.kpis import KPIS
from application.queries.overview import (
    MOST_BARS,
    SPANS,
    Bar,
    NothingYet,
    Overview,
    Step,
    in_words,
    overview,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOTALS: dict[str, Figure] = {
    "orders": 1234,
    "net": Decimal("98765.435"),
    "on_time_rate": Decimal("0.966597"),
    "fill_rate": None,
    "order_cycle_time_days": Decimal("3.1415"),
    "stock_value": Decimal(5000),
    "below_reorder_point": 7,
    "units_backordered": 12345,
}
BALANCE = Balance(10, 7, 2, 1)
IN_PERIOD = TOTALS | {"orders": 30, "net": Decimal(300), "stock_value": Decimal(1), "units_backordered": 1}


class Answers:
    """Analytics that knows its figures by dimension; within a period it knows others."""

    def __init__(self, position: int = 40) -> None:
        self.at = position
        self.by: dict[str, list[Measured]] = {}
        self.periods: list[tuple[str | None, Period | None]] = []

    def position(self) -> int:
        return self.at

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        self.periods.append((by.name if by else None, where.period))
        if by is not None:
            return self.by.get(by.name, [])
        known = IN_PERIOD if where.period else TOTALS
        return [Measured(Member(None, None), {kpi.name: known[kpi.name] for kpi in kpis})]


class Received:
    """An inbox with this balance and these codes in quarantine."""

    def __init__(self, balance: Balance = BALANCE, codes: Sequence[str] = ()) -> None:
        self.counted = balance
        self.codes = codes

    def balance(self) -> Balance:
        return self.counted

    def waiting(self) -> dict[str, int]:
        return dict(Counter(self.codes))


def row(key: str | None, **figures: Figure) -> Measured:
    return Measured(Member(key, key and key.title()), figures)


def see(
    analytics: Answers, inbox: Received | None = None, *, span: str = "All", head: int = 40
) -> Overview | NothingYet:
    return overview(analytics, inbox or Received(), SimpleNamespace(head=lambda: head), SPANS[span], NOW)


def seen(analytics: Answers, inbox: Received | None = None, *, span: str = "All", head: int = 40) -> Overview:
    shown = see(analytics, inbox, span=span, head=head)
    assert isinstance(shown, Overview)
    return shown


def texts(tiles: Sequence[Any]) -> dict[str, str]:
    return {tile.name: tile.text for tile in tiles}


def test_tiles_say_the_figures_as_people_read_them() -> None:
    shown = seen(Answers())
    assert texts(shown.flows) == {
        "orders": "1,234",
        "net": "98,765.44",
        "on_time_rate": "96.7%",
        "fill_rate": "–",
        "order_cycle_time_days": "3.1 days",
    }
    assert texts(shown.levels) == {
        "stock_value": "5,000.00",
        "below_reorder_point": "7",
        "units_backordered": "12,345",
    }


def test_a_tile_is_titled_and_explained_by_the_kpis_definition() -> None:
    tile = seen(Answers()).flows[0]
    assert (tile.title, tile.meaning) == (KPIS["orders"].title, KPIS["orders"].description)


def test_a_span_narrows_the_flows_but_not_the_levels() -> None:
    analytics = Answers()
    shown = seen(analytics, span="Last 30 days")
    assert texts(shown.flows)["orders"] == "30"
    assert texts(shown.levels)["stock_value"] == "5,000.00"
    month = Period(date(2026, 1, 31), date(2026, 3, 1))
    before = Period(date(2026, 1, 1), date(2026, 1, 30))
    asked = set(analytics.periods)
    assert asked == {(None, before)} | {(by, month) for by in (None, "currency", "day", "carrier", "category")} | {
        (None, None),
        ("location", None),
    }


def test_tiles_of_a_span_say_how_they_changed_and_whether_that_is_good() -> None:
    class Rising(Answers):
        """Twice the orders of the period before, and slower."""

        def measure(
            self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
        ) -> list[Measured]:
            measured = super().measure(kpis, by, where)
            if where.period and where.period.last < date(2026, 2, 1) and by is None:
                half: dict[str, Figure] = {"orders": 15, "order_cycle_time_days": Decimal(2)}
                return [Measured(Member(None, None), measured[0].figures | half)]
            return measured

    tiles = {tile.name: tile for tile in seen(Rising(), span="Last 30 days").flows}
    assert (tiles["orders"].change, tiles["orders"].better) == ("+100.0%", True)
    assert (tiles["order_cycle_time_days"].change, tiles["order_cycle_time_days"].better) == ("+57.1%", False)
    assert (tiles["on_time_rate"].change, tiles["on_time_rate"].better) == ("+0.0 points", None)
    assert (tiles["fill_rate"].change, tiles["fill_rate"].better) == (None, None)
    assert {tile.change for tile in seen(Answers()).flows} == {None}


def test_all_time_is_asked_for_without_a_period() -> None:
    analytics = Answers()
    seen(analytics)
    assert {period for _, period in analytics.periods} == {None}


def test_days_and_iso_weeks_become_steps_of_time() -> None:
    analytics = Answers()
    analytics.by["day"] = [row("2026-02-28", orders=2, net=Decimal(10)), row(None, orders=1, net=Decimal(1))]
    analytics.by["week"] = [row("2020-W53", orders=3, net=Decimal("20.5"))]
    orders, net = seen(analytics, span="Last 90 days").over_time
    assert (orders.title, orders.steps) == ("Orders by day", (Step(date(2026, 2, 28), date(2026, 3, 1), 2.0, "2"),))
    assert net.steps[0].text == "10.00"
    orders, net = seen(analytics).over_time
    assert (net.title, net.steps) == (
        "Net sales by week",
        (Step(date(2020, 12, 28), date(2021, 1, 4), 20.5, "20.50"),),
    )


def test_late_orders_are_shown_of_those_shipped_the_most_first() -> None:
    analytics = Answers()
    analytics.by["carrier"] = [
        row("air", orders_late=0, orders_shipped=4),
        row("road", orders_late=3, orders_shipped=1000),
        row(None, orders_late=0, orders_shipped=0),
    ]
    assert seen(analytics).late.bars == (Bar("Road", 3.0, "3 of 1,000"), Bar("Air", 0.0, "0 of 4"))


def test_many_categories_are_cut_to_the_greatest_and_the_title_says_so() -> None:
    analytics = Answers()
    analytics.by["category"] = [row(f"c{number:02}", net=Decimal(number)) for number in range(MOST_BARS + 3)]
    sales = seen(analytics).sales
    assert len(sales.bars) == MOST_BARS
    assert sales.bars[0] == Bar("C14", 14.0, "14.00")
    assert sales.title == "Net sales by product category: the first 12 of 15"


def test_stock_is_a_table_by_location_where_the_unknown_has_a_name() -> None:
    analytics = Answers()
    figures: dict[str, Figure] = {
        "stock_units": 1500,
        "stock_available": 1400,
        "stock_value": Decimal("2.5"),
        "below_reorder_point": 1,
        "out_of_stock": 0,
    }
    analytics.by["location"] = [row(None, **figures), row("main", **figures)]
    stock = seen(analytics).stock
    assert stock.head[0] == "Location"
    assert stock.rows == (
        ("Main", "1,500", "1,400", "2.50", "1", "0"),
        ("unknown", "1,500", "1,400", "2.50", "1", "0"),
    )


@pytest.mark.parametrize(
    ("currencies", "title"),
    [((), "Net sales"), (("EUR",), "Net sales EUR"), (("EUR", "USD"), "Net sales EUR + USD")],
)
def test_net_sales_name_the_currencies_they_add_up(currencies: Sequence[str], title: str) -> None:
    analytics = Answers()
    analytics.by["currency"] = [row(each, net=Decimal(1)) for each in currencies]
    assert seen(analytics).flows[1].title == title


def test_freshness_says_how_far_the_figures_are_behind_the_log() -> None:
    assert seen(Answers(40), head=47).freshness == (40, 7, NOW)


def test_the_balance_comes_with_the_reasons_that_are_open_the_most_frequent_first() -> None:
    messages = seen(Answers(), Received(codes=["b", "a", "c", "c"])).messages
    assert messages == (BALANCE, (("c", 2), ("a", 1), ("b", 1)))


@pytest.mark.parametrize(
    ("balance", "position", "command"),
    [
        (Balance(0, 0, 0, 0), 0, "dataflow generate"),
        (Balance(3, 0, 1, 2), 0, "dataflow quarantine list"),
        (Balance(3, 3, 0, 0), 0, "dataflow project --once"),
    ],
)
def test_without_figures_it_says_which_command_to_run(balance: Balance, position: int, command: str) -> None:
    nothing = see(Answers(position), Received(balance))
    assert isinstance(nothing, NothingYet)
    assert nothing.commands[0] == command


def test_before_anything_was_received_the_read_models_need_not_exist() -> None:
    class Absent(Answers):
        def position(self) -> int:
            raise AnalyticsUnavailableError

    assert isinstance(see(Absent(), Received(Balance(0, 0, 0, 0))), NothingYet)
    with pytest.raises(AnalyticsUnavailableError):
        see(Absent())


@pytest.mark.parametrize(
    ("name", "figure", "text"),
    [
        ("net", Decimal("0.005"), "0.01"),
        ("net", 0, "0.00"),
        ("on_time_rate", Decimal(1), "100.0%"),
        ("order_cycle_time_days", Decimal("1000.25"), "1,000.2 days"),
        ("orders", None, "–"),
    ],
)
def test_figures_are_rounded_once_where_they_are_shown(name: str, figure: Figure, text: str) -> None:
    assert in_words(KPIS[name], figure) == text
