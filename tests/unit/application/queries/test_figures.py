from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules

import pytest

from application import queries
from application.ports.analytics import EVERYTHING, Evidence, Filter, Measured, Member, Period, Selection
from application.queries.currencies import Currencies, currencies
from application.queries.definitions import Dimension, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.figures import (
    UnknownDimensionError,
    UnknownKpiError,
    UnsupportedBreakdownError,
    UnsupportedComparisonError,
    as_json,
    evidence,
    kpi_table,
    kpis_for,
)
from application.queries.kpis import KPIS
from application.queries.periods import previous
from application.queries.policies import DEFAULT, Policy, Rule


class Ledger:
    """Analytics that give every KPI the same figure, and keep what they were asked."""

    def __init__(self) -> None:
        self.where = EVERYTHING

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        self.where = where
        members = [Member("ups", "UPS"), Member(None, None)] if by else [Member(None, None)]
        return [Measured(member, {kpi.name: Decimal("1265793.0395") for kpi in kpis}) for member in members]

    def members(self, dimension: Dimension) -> list[Member]:
        return []

    def evidence(self, kpi: Kpi, where: Selection = EVERYTHING, limit: int = 100) -> list[Evidence]:
        self.where = where
        return [Evidence("order-o1", 3, 9, {"line_no": 1})][:limit]

    def position(self) -> int:
        return 42


def test_a_table_names_its_kpis_its_breakdown_and_its_position() -> None:
    table = kpi_table(Ledger(), ["net", "orders"], by="carrier")
    assert (table.position, [kpi.name for kpi in table.kpis]) == (42, ["net", "orders"])
    assert table.by is DIMENSIONS["carrier"]
    assert [row.member.label for row in table.rows] == ["UPS", None]


def test_without_names_a_table_has_all_kpis_that_know_the_dimensions() -> None:
    everything = {kpi.name for kpi in kpi_table(Ledger()).kpis}
    by_carrier = {kpi.name for kpi in kpi_table(Ledger(), by="carrier").kpis}
    of_a_category = {kpi.name for kpi in kpi_table(Ledger(), by="carrier", members={"category": ["Tea"]}).kpis}
    assert everything == set(KPIS)
    assert {"orders", "shipments"} <= by_carrier
    assert "stock_units" not in by_carrier
    assert "orders" in of_a_category
    assert "stock_units" not in of_a_category


def test_members_and_period_select_the_facts() -> None:
    ledger, period = Ledger(), Period(date(2024, 1, 1), date(2024, 1, 31))
    selected = Selection((Filter(DIMENSIONS["carrier"], ("ups", None)),), period)
    kpi_table(ledger, ["orders"], members={"carrier": ["ups", None]}, period=period)
    assert ledger.where == selected
    evidence(ledger, "orders_late", members={"carrier": ["ups", None]}, period=period)
    assert ledger.where == selected


def test_json_keeps_every_digit_of_a_decimal() -> None:
    text = json.dumps(as_json(kpi_table(Ledger(), ["net"], by="carrier")))
    assert json.loads(text) == {
        "position": 42,
        "by": "carrier",
        "policies": ["default@1"],
        "kpis": [{"name": "net", "title": "Net sales", "unit": "money", "direction": "up"}],
        "rows": [
            {"key": "ups", "label": "UPS", "figures": {"net": "1265793.0395"}},
            {"key": None, "label": None, "figures": {"net": "1265793.0395"}},
        ],
    }


def test_a_wrong_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownKpiError, match=r"no KPI 'profit'.*orders_late"):
        kpi_table(Ledger(), ["profit"])
    with pytest.raises(UnknownDimensionError, match=r"no dimension 'planet'.*carrier"):
        kpi_table(Ledger(), ["net"], by="planet")
    with pytest.raises(UnknownDimensionError, match="planet"):
        evidence(Ledger(), "net", members={"planet": ["Mars"]})


def test_a_breakdown_that_the_facts_do_not_know_is_refused() -> None:
    with pytest.raises(UnsupportedBreakdownError, match="stock_units can't be broken down by carrier"):
        kpi_table(Ledger(), ["orders", "stock_units"], by="carrier")
    with pytest.raises(UnsupportedBreakdownError, match="shipments can't be broken down by kind"):
        kpi_table(Ledger(), ["shipments"], members={"kind": ["received"]})
    with pytest.raises(UnsupportedBreakdownError, match="shipments can't be broken down by kind"):
        evidence(Ledger(), "shipments", members={"kind": ["received"]})


def test_every_kpi_knows_the_calendar_and_explains_itself() -> None:
    assert set(kpis_for([DIMENSIONS[name] for name in ("year", "quarter", "month", "week", "day")])) == set(
        KPIS.values()
    )
    for kpi in KPIS.values():
        assert kpi.description.endswith(".")
        assert "%" not in kpi.expression + kpi.counted


def test_every_kpi_that_a_module_defines_is_known_and_no_name_stands_twice() -> None:
    modules = [import_module(f"application.queries.{each.name}") for each in iter_modules(queries.__path__)]
    groups = {id(group): group for module in modules for group in vars(module).values() if isinstance(group, tuple)}
    defined = [each.name for group in groups.values() for each in group if isinstance(each, Kpi)]
    assert sorted(defined) == sorted(KPIS)


class Nothing:
    """Analytics of a star without rows."""

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        return []


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS.values() if kpi.unit == "money"], ids=lambda kpi: kpi.name)
def test_of_every_sum_of_money_it_is_known_whose_currencies_it_adds_up(kpi: Kpi) -> None:
    assert list(currencies(Nothing(), [kpi], None, EVERYTHING).values()) == [Currencies(())]


class Years:
    """Analytics whose figures are the year that a period begins in."""

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        assert where.period is not None
        figure = where.period.first.year
        return [Measured(Member("ups", "UPS") if by else Member(None, None), {kpi.name: figure for kpi in kpis})]

    def position(self) -> int:
        return 42


def test_a_comparison_stands_beside_each_figure() -> None:
    year = Period(date(2000, 1, 1), date(2000, 12, 31))
    table = as_json(kpi_table(Years(), ["orders"], by="carrier", period=year, compare=True))
    assert table["previous_period"] == {"from": date(1999, 1, 1), "to": date(1999, 12, 31)}
    assert table["rows"][0]["changes"] == {"orders": {"previous": 1999, "difference": 1, "ratio": "0.000500"}}


class Leavers:
    """Analytics in which DHL carried before 2000 alone, and somebody unknown from then on."""

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        assert where.period is not None
        members = (
            [Member("dhl", "DHL"), Member("ups", "UPS")]
            if where.period.first.year < 2000
            else [
                Member("ups", "UPS"),
                Member(None, None),
            ]
        )
        return [Measured(member, {kpi.name: 7 for kpi in kpis}) for member in members]

    def position(self) -> int:
        return 42


def test_a_member_of_the_period_before_alone_is_listed_without_a_figure_of_now() -> None:
    year = Period(date(2000, 1, 1), date(2000, 12, 31))
    table = kpi_table(Leavers(), ["orders"], by="carrier", period=year, compare=True)
    assert [(row.member.key, row.figures) for row in table.rows] == [
        ("dhl", {"orders": None}),
        ("ups", {"orders": 7}),
        (None, {"orders": 7}),
    ]
    assert table.change(table.rows[0], KPIS["orders"]) == (7, None, None)
    assert table.change(table.rows[2], KPIS["orders"]) == (None, None, None)
    assert as_json(table)["rows"][0]["changes"] == {"orders": {"previous": 7, "difference": None, "ratio": None}}


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2024-03-01", "2024-03-31"), ("2024-02-01", "2024-02-29")),
        (("2024-01-01", "2024-03-31"), ("2023-10-01", "2023-12-31")),
        (("2024-03-04", "2024-03-10"), ("2024-02-26", "2024-03-03")),
        (("2024-03-01", "2024-03-01"), ("2024-02-29", "2024-02-29")),
        (("2024-02-01", "2024-02-28"), ("2024-01-04", "2024-01-31")),
    ],
)
def test_the_period_before_has_as_many_months_or_else_days(period: tuple[str, str], before: tuple[str, str]) -> None:
    assert previous(Period(*map(date.fromisoformat, period))) == Period(*map(date.fromisoformat, before))


@pytest.mark.parametrize("period", [None, Period(date.min, date(2024, 1, 31)), Period(date(2024, 1, 1), date.max)])
def test_a_comparison_needs_a_whole_period(period: Period | None) -> None:
    with pytest.raises(UnsupportedComparisonError, match="needs a period"):
        kpi_table(Years(), ["orders"], period=period, compare=True)


def test_before_the_first_days_that_there_are_is_no_period() -> None:
    for first in (date(1, 2, 1), date(1, 1, 2)):
        with pytest.raises(UnsupportedComparisonError, match="no period as long before 0001"):
            kpi_table(Years(), ["orders"], period=Period(first, date(1998, 12, 31)), compare=True)


def test_months_are_not_compared_with_the_period_before() -> None:
    with pytest.raises(UnsupportedComparisonError, match="can't be by month"):
        kpi_table(Years(), ["orders"], by="month", period=Period(date(2024, 1, 1), date(2024, 1, 2)), compare=True)


def test_kpis_stand_once_for_each_policy_that_decides_about_them() -> None:
    hours = Policy("hours", 2, Rule(unit="hour"))
    table = kpi_table(Ledger(), ["orders", "orders_late"], policies=[DEFAULT, hours])
    assert [kpi.name for kpi in table.kpis] == ["orders", "orders_late@default@1", "orders_late@hours@2"]
    assert [kpi.name for kpi in kpi_table(Ledger(), ["orders_late"], policies=[hours]).kpis] == ["orders_late"]


def test_a_policy_that_is_named_twice_stands_once() -> None:
    hours = Policy("hours", 2, Rule(unit="hour"))
    table = kpi_table(Ledger(), ["orders_late"], policies=[hours, DEFAULT, hours])
    assert [kpi.name for kpi in table.kpis] == ["orders_late@hours@2", "orders_late@default@1"]
    assert [policy.label for policy in table.policies] == ["hours@2", "default@1"]
    assert [kpi.name for kpi in kpi_table(Ledger(), ["orders_late"], policies=[hours, hours]).kpis] == ["orders_late"]
