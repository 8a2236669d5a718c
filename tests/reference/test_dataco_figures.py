"""DataCo, from its latin-1 file to `dataflow kpi`: late as its own policy says, and beside it by hours."""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.shared.measures import round_money
from tests.acceptance.home import Home

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATAFLOW_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "dataco"
FILE = "dataco_first_two_weeks_2015_latin1.csv.gz"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason=f"reference data absent: no {DATA} (DATAFLOW_REFERENCE_DATA names another folder)",
)

Line = dict[str, str]
BY_DAYS, BY_HOURS = "orders_late@dataco@1", "orders_late@hours@1"


@pytest.fixture(scope="module")
def dataco(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A data folder that took in the file and knows two policies of lateness."""
    with closing(Home(tmp_path_factory.mktemp("dataco") / "home").keep_server()) as home:
        took = home.json("ingest", "files", DATA, "--mapping", PROJECT / "examples" / "dataco")
        assert took == {"received": 3_943, "applied": 3_943, "duplicate": 0, "quarantined": 0}
        home.do("policy", "set", "dataco", "--due", "original", "--note", "real above scheduled days")
        home.do("policy", "set", "hours", "--due", "original", "--unit", "hour")
        yield home


@pytest.fixture(scope="module")
def by_mode(dataco: Home) -> dict[str, dict[str, Any]]:
    """Every KPI by shipping mode, under both policies side by side."""
    rows = dataco.json("kpi", "--by", "carrier", "--policy", "dataco", "--policy", "hours")["rows"]
    return {row["label"]: row["figures"] for row in rows}


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    """The lines of the file as Python reads them."""
    with gzip.open(DATA / FILE, "rt", encoding="latin-1", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def orders(lines: list[Line]) -> list[Line]:
    """The first line of each order."""
    return list({line["Order Id"]: line for line in reversed(lines)}.values())


def _time(line: Line, column: str) -> datetime:
    return datetime.strptime(line[column], "%m/%d/%y %H:%M")  # noqa: DTZ007 (the file has no zone)


def _cents(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _cancelled(line: Line) -> bool:
    return line["Delivery Status"] == "Shipping canceled"


def test_late_orders_by_mode_are_those_with_more_real_than_scheduled_days(by_mode: dict[str, dict[str, Any]]) -> None:
    counted = {mode: (figures[BY_DAYS], figures["orders"]) for mode, figures in by_mode.items()}
    assert counted == {
        "Standard Class": (200, 514),
        "Second Class": (114, 145),
        "First Class": (89, 92),
        "Same Day": (15, 29),
    }


def test_all_orders_late_ones_amount_and_units(dataco: Home) -> None:
    (row,) = dataco.json("kpi", "orders", "orders_late", "net", "units", "--policy", "dataco")["rows"]
    figures = row["figures"]
    assert (figures["orders"], figures["orders_late"], figures["units"]) == (780, 418, 5_060)
    assert round_money(Decimal(figures["net"])) == Decimal("410171.66")


def test_the_same_history_by_hours_stands_beside(by_mode: dict[str, dict[str, Any]], orders: list[Line]) -> None:
    late: Counter[str] = Counter()
    for order in orders:
        due = _time(order, "order date (DateOrders)") + timedelta(days=int(order["Days for shipment (scheduled)"]))
        late[order["Shipping Mode"]] += _time(order, "shipping date (DateOrders)") > due and not _cancelled(order)
    assert {mode: figures[BY_HOURS] for mode, figures in by_mode.items()} == late
    assert late["Same Day"] == 27
    assert sum(late.values()) == 430


def test_a_tolerance_of_a_day_lets_those_pass_that_came_a_day_late(dataco: Home, orders: list[Line]) -> None:
    dataco.do("policy", "set", "patient", "--due", "original", "--tolerance", 1)
    (row,) = dataco.json("kpi", "orders_late", "--policy", "patient")["rows"]
    beyond = [
        order
        for order in orders
        if not _cancelled(order)
        and int(order["Days for shipping (real)"]) > int(order["Days for shipment (scheduled)"]) + 1
    ]
    assert row["figures"]["orders_late"] == len(beyond)


def test_cancelled_orders_were_not_shipped_though_they_carry_a_date(dataco: Home, lines: list[Line]) -> None:
    cancelled = [line for line in lines if _cancelled(line)]
    assert len(cancelled) == 73
    assert all(line["shipping date (DateOrders)"] for line in cancelled)
    (row,) = dataco.json("kpi", "orders_shipped", "units_cancelled", "units_shipped")["rows"]
    units = sum(int(line["Order Item Quantity"]) for line in cancelled)
    assert row["figures"] == {
        "orders_shipped": 780 - len({line["Order Id"] for line in cancelled}),
        "units_cancelled": units,
        "units_shipped": 5_060 - units,
    }


def test_amounts_are_those_of_the_file_by_country_and_category(dataco: Home, lines: list[Line]) -> None:
    for dimension, column in (("country", "Order Country"), ("category", "Category Name")):
        total: Counter[str] = Counter()
        gross: Counter[str] = Counter()
        for line in lines:
            total[line[column]] += _cents(line["Order Item Total"])  # type: ignore[assignment]
            gross[line[column]] += _cents(line["Sales"])  # type: ignore[assignment]
        rows = {row["key"]: row["figures"] for row in dataco.json("kpi", "net", "gross", "--by", dimension)["rows"]}
        assert {key: round_money(Decimal(figures["net"])) for key, figures in rows.items()} == total
        assert {key: Decimal(figures["gross"]) for key, figures in rows.items()} == gross
    assert "M\u00e9xico" in {line["Order Country"] for line in lines}


def test_a_late_order_is_explained_down_to_its_line(dataco: Home, lines: list[Line]) -> None:
    explained = dataco.json("explain", "orders_late", "--policy", "dataco", "--where", "carrier=Same Day")
    assert (explained["figure"], len(explained["rows"])) == (15, 15)
    placed = dataco.json("explain", explained["rows"][0]["row"])["events"][0]
    message = dataco.json("explain", placed["event"])
    file, _, number = message["metadata"]["source"].rpartition(":")
    line = lines[int(number) - 2]
    assert (file, line["Shipping Mode"]) == (FILE, "Same Day")
    assert message["message"]["key"] == f"order-{line['Order Id']}"
    assert line["Order City"] in message["message"]["payload"]
