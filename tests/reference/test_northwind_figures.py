"""The figures of real data, from CSV files to `dataflow kpi`: each is what the files say, to the last digit."""

from __future__ import annotations

import csv
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain.shared.measures import round_money
from tests.acceptance.home import Home

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATAFLOW_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "northwind"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason=f"reference data absent: no {DATA} (DATAFLOW_REFERENCE_DATA names another folder)",
)

NORTHWIND = ("ingest", "files", DATA / "csv", "--mapping", PROJECT / "examples" / "northwind")
_CATALOG = ("shipper", "customer", "supplier")
NEO4J = ("ingest", "files", DATA / "neo4j_csv", "--mapping", PROJECT / "examples" / "northwind-neo4j")


@pytest.fixture(scope="module")
def northwind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A data folder that took in Northwind's files."""
    with closing(Home(tmp_path_factory.mktemp("northwind") / "home").keep_server()) as home:
        took = home.json(*NORTHWIND)
        assert took == {"received": 3_615, "applied": 3_615, "duplicate": 0, "quarantined": 0}
        yield home


@pytest.fixture(scope="module")
def whole(northwind: Home) -> dict[str, Any]:
    (row,) = northwind.json("kpi")["rows"]
    figures: dict[str, Any] = row["figures"]
    return figures


@pytest.fixture(scope="module")
def breakdowns(northwind: Home) -> dict[str, dict[str, dict[str, Any]]]:
    """Every KPI by some dimensions, by the label of the member."""
    dimensions = ("carrier", "year", "month", "supplier", "category", "customer")
    done = northwind.run_all(("kpi", "--by", dimension, "--json") for dimension in dimensions)
    rows = [json.loads(each.stdout)["rows"] for each in done]
    return {
        dimension: {row["label"]: row["figures"] for row in of_dimension}
        for dimension, of_dimension in zip(dimensions, rows, strict=True)
    }


Breakdowns = dict[str, dict[str, dict[str, Any]]]


@pytest.mark.parametrize(
    ("kpi", "figure"),
    [
        ("orders", 830),
        ("order_lines", 2_155),
        ("gross", "1354458.59"),
        ("net", "1265793.0395"),
        ("freight", "64942.69"),
        ("units", 51_317),
        ("orders_shipped", 809),
        ("orders_late", 37),
        ("stock_units", 3_119),
    ],
)
def test_figure_of_everything(whole: dict[str, Any], kpi: str, figure: int | str) -> None:
    assert whole[kpi] == figure


def test_orders_and_late_ones_by_carrier(breakdowns: Breakdowns) -> None:
    counted = {name: (figures["orders"], figures["orders_late"]) for name, figures in breakdowns["carrier"].items()}
    assert counted == {"Federal Shipping": (255, 9), "Speedy Express": (249, 12), "United Package": (326, 16)}


def test_net_by_year(breakdowns: Breakdowns) -> None:
    net = {year: round_money(Decimal(figures["net"])) for year, figures in breakdowns["year"].items()}
    assert net == {"1996": Decimal("208083.97"), "1997": Decimal("617085.20"), "1998": Decimal("440623.87")}


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _rounded(text: str, places: str) -> Decimal:
    return Decimal(text).quantize(Decimal(places), ROUND_HALF_UP)


class Computed(NamedTuple):
    """Figures of the members of a dimension, added up from the CSV files alone; orders are counted once each."""

    orders: dict[str, set[str]]
    late: dict[str, set[str]]
    sums: dict[str, dict[str, Decimal]]


def _computed(dimension: str) -> Computed:
    """Add up orders, late ones, units, gross and net by a dimension."""
    orders = {row["order_id"]: row for row in _rows("orders")}
    supplier_of = {row["product_id"]: row["supplier_id"] for row in _rows("products")}
    names = {kind: {row[f"{kind}_id"]: row["company_name"] for row in _rows(f"{kind}s")} for kind in _CATALOG}
    computed = Computed(defaultdict(set), defaultdict(set), defaultdict(lambda: defaultdict(Decimal)))
    for line in _rows("order_details"):
        order = orders[line["order_id"]]
        label = {
            "year": order["order_date"][:4],
            "month": order["order_date"][:7],
            "carrier": names["shipper"][order["ship_via"]],
            "customer": names["customer"][order["customer_id"]],
            "supplier": names["supplier"][supplier_of[line["product_id"]]],
        }[dimension]
        gross = int(line["quantity"]) * _rounded(line["unit_price"], "0.01")
        computed.orders[label].add(order["order_id"])
        if order["shipped_date"] and order["shipped_date"] > order["required_date"]:
            computed.late[label].add(order["order_id"])
        computed.sums[label]["units"] += int(line["quantity"])
        computed.sums[label]["gross"] += gross
        computed.sums[label]["net"] += gross * (1 - _rounded(line["discount"], "0.0001"))
    return computed


@pytest.mark.parametrize("dimension", ["year", "month", "carrier", "supplier", "customer"])
def test_a_breakdown_is_what_the_files_add_up_to(breakdowns: Breakdowns, dimension: str) -> None:
    rows = {label: figures for label, figures in breakdowns[dimension].items() if figures["orders"]}
    computed = _computed(dimension)
    assert {label: figures["orders"] for label, figures in rows.items()} == {
        label: len(orders) for label, orders in computed.orders.items()
    }
    assert {label: figures["orders_late"] for label, figures in rows.items()} == {
        label: len(computed.late[label]) for label in computed.orders
    }
    for name in ("units", "gross", "net"):
        assert {label: Decimal(figures[name]) for label, figures in rows.items()} == {
            label: sums[name] for label, sums in computed.sums.items()
        }, name


def test_freight_by_carrier_and_month_is_that_of_the_orders(breakdowns: Breakdowns) -> None:
    names = {row["shipper_id"]: row["company_name"] for row in _rows("shippers")}
    for dimension in ("carrier", "month"):
        freight: dict[str, Decimal] = defaultdict(Decimal)
        for order in _rows("orders"):
            label = names[order["ship_via"]] if dimension == "carrier" else order["order_date"][:7]
            freight[label] += _rounded(order["freight"], "0.01")
        found = {label: Decimal(figures["freight"]) for label, figures in breakdowns[dimension].items()}
        assert {label: amount for label, amount in found.items() if amount} == freight


@pytest.mark.parametrize(("dimension", "members"), [("month", 23), ("supplier", 29), ("category", 8), ("customer", 89)])
def test_a_breakdown_adds_up_to_the_whole(
    breakdowns: Breakdowns, whole: dict[str, Any], dimension: str, members: int
) -> None:
    rows = {label: figures for label, figures in breakdowns[dimension].items() if figures["orders"]}
    assert len(rows) == members
    for name in ("gross", "net", "freight"):
        assert sum(Decimal(figures[name]) for figures in rows.values()) == Decimal(whole[name]), name
    for name in ("units", "order_lines"):
        assert sum(figures[name] for figures in rows.values()) == whole[name], name


def test_a_month_is_a_sum_of_its_days(northwind: Home, breakdowns: Breakdowns) -> None:
    july = json.loads(northwind.do("kpi", "net", "orders", "--from", "1996-07-01", "--to", "1996-07-31", "--json"))
    by_day = json.loads(northwind.do("kpi", "net", "orders", "--by", "day", "--where", "month=1996-07", "--json"))
    (figures,) = [row["figures"] for row in july["rows"]]
    month = breakdowns["month"]["1996-07"]
    assert (figures["net"], figures["orders"]) == (month["net"], month["orders"])
    assert sum(Decimal(row["figures"]["net"]) for row in by_day["rows"]) == Decimal(month["net"])


def test_the_table_shows_the_figures_rounded(northwind: Home) -> None:
    shown = northwind.do("kpi", "net", "on_time_rate")
    assert re.search(r"│ Net sales +│ 1,265,793\.04 │ USD", shown)
    assert re.search(rf"│ On-time rate +│ +{(809 - 37) / 809:.1%} │", shown)


def test_every_figure_leads_back_to_a_line_of_a_file(northwind: Home) -> None:
    placed = northwind.json("events", "order-10248")[0]
    assert placed["topic"] == "OrderPlaced.v1"
    line = int(placed["metadata"]["source"].rpartition(":")[2])
    assert "orders.csv" in placed["metadata"]["source"]
    assert (DATA / "csv" / "orders.csv").read_text(encoding="utf-8").splitlines()[line - 1].startswith("10248,")


def test_reading_the_files_again_changes_nothing(northwind: Home, whole: dict[str, Any]) -> None:
    before = northwind.json("status")
    again = northwind.json(*NORTHWIND)
    assert again == {"received": 3_615, "applied": 0, "duplicate": 3_615, "quarantined": 0}
    (row,) = northwind.json("kpi")["rows"]
    assert row["figures"] == whole
    after = northwind.json("status")
    assert after["log_position"] == before["log_position"]
    assert after["balance_holds"] is True


def test_the_tables_are_proven(northwind: Home) -> None:
    certificate = northwind.json("verify")
    assert certificate["equal"] is True
    assert all(table["equal"] for table in certificate["tables"])


@pytest.fixture(scope="module")
def neo4j(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A data folder that took in the same data from another export, whose commas are not all quoted."""
    with closing(Home(tmp_path_factory.mktemp("neo4j") / "home").keep_server()) as home:
        took = home.json(*NEO4J)
        assert took["received"] == took["applied"] + took["duplicate"] + took["quarantined"]
        yield home


def _broken_rows(name: str) -> set[str]:
    """Return file and line of the rows that don't have the fields of the header, as Python's reader sees them."""
    with (DATA / "neo4j_csv" / name).open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        return {f"{name}:{reader.line_num}" for row in reader if len(row) != len(header)}


def test_rows_that_cannot_be_read_are_set_aside_with_file_and_line(neo4j: Home) -> None:
    quarantined = neo4j.json("quarantine", "list")
    places = {message["source"] for message in quarantined}
    orders = {place for place in places if place.startswith("orders.csv:")}
    assert len(orders) == 176
    assert orders == _broken_rows("orders.csv")
    assert places == orders | _broken_rows("customers.csv") | _broken_rows("suppliers.csv")
    assert len(quarantined) == len(places)
    for message in quarantined:
        file, line = message["source"].split(":")
        assert message["detail"].startswith(f"{file} line {line}: expected ")


def test_the_rows_that_can_be_read_count(neo4j: Home) -> None:
    (row,) = neo4j.json("kpi", "orders")["rows"]
    assert row["figures"]["orders"] == 830 - 176 == 654
    status = neo4j.json("status")
    assert status["balance_holds"] is True
    assert status["quarantined"] == len(neo4j.json("quarantine", "list"))
