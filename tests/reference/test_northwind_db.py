"""Northwind's dump in a database that plays the customer's: the files' figures, and only what changes afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.shared.measures import round_money
from tests.acceptance.home import Home, ended, event_log, until
from tests.foreign_database import postgres_url

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATAFLOW_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "northwind"
DUMP = DATA / "northwind.sql"

pytestmark = pytest.mark.skipif(
    not DUMP.is_file(),
    reason=f"reference data absent: no {DUMP} (DATAFLOW_REFERENCE_DATA names another folder)",
)

INGEST = ("ingest", "orders-db", "--mapping", PROJECT / "examples" / "northwind-db")
ROWS = 29 + 91 + 6 + 8 + 77 + 830 + 2_155
NOTHING = {"rows_read": 0, "keys_read": ROWS, "rows_changed": 0, "messages": 0}
NOTHING |= {"received": 0, "applied": 0, "duplicate": 0, "quarantined": 0}


def _customer(home: Home) -> psycopg.Connection:
    """Load the dump into a database of its own, and return its owner's connection."""
    home.keep_server().do("status")
    with psycopg.connect(home.conninfo("postgres"), autocommit=True) as server:
        server.execute("CREATE DATABASE northwind")
    owner = psycopg.connect(home.conninfo("northwind"), autocommit=True)
    # Servers from version 12 on don't know this setting of the dump any more.
    owner.execute(DUMP.read_text(encoding="utf-8").replace("SET default_with_oids = false;", "").encode())
    return owner


def _take_in(home: Home) -> dict[str, Any]:
    taken: dict[str, Any] = home.json(*INGEST, "--url", postgres_url(home.conninfo("northwind")))
    return taken


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, psycopg.Connection]]:
    with closing(Home(tmp_path_factory.mktemp("northwind_db") / "home")) as home, _customer(home) as owner:
        taken = _take_in(home)
        assert (taken["rows_read"], taken["received"], taken["applied"]) == (ROWS, 3_615, 3_615)
        yield home, owner


@pytest.fixture(scope="module")
def northwind(homes: tuple[Home, psycopg.Connection]) -> Home:
    return homes[0]


@pytest.fixture(scope="module")
def owner(homes: tuple[Home, psycopg.Connection]) -> psycopg.Connection:
    return homes[1]


def _by(home: Home, dimension: str) -> dict[str, dict[str, Any]]:
    return {row["label"]: row["figures"] for row in home.json("kpi", "--by", dimension)["rows"]}


def test_the_figures_are_those_of_the_files(northwind: Home) -> None:
    (row,) = northwind.json("kpi")["rows"]
    expected = {
        "orders": 830,
        "order_lines": 2_155,
        "gross": "1354458.59",
        "net": "1265793.0395",
        "freight": "64942.69",
        "units": 51_317,
        "orders_shipped": 809,
        "orders_late": 37,
        "stock_units": 3_119,
    }
    assert {name: row["figures"][name] for name in expected} == expected
    carriers = {name: (each["orders"], each["orders_late"]) for name, each in _by(northwind, "carrier").items()}
    assert carriers == {"Federal Shipping": (255, 9), "Speedy Express": (249, 12), "United Package": (326, 16)}
    net = {year: round_money(Decimal(each["net"])) for year, each in _by(northwind, "year").items()}
    assert net == {"1996": Decimal("208083.97"), "1997": Decimal("617085.20"), "1998": Decimal("440623.87")}


def test_a_second_run_reads_no_row_that_did_not_change(northwind: Home) -> None:
    assert _take_in(northwind) == NOTHING


def test_killed_at_any_point_it_goes_on_without_loss_or_double(northwind: Home, tmp_path: Path) -> None:
    with closing(Home(tmp_path / "home", batch_size=300)) as home, _customer(home):
        url = postgres_url(home.conninfo("northwind"))
        with home.connect() as watch:
            for table in ("sources.outbox", "bronze.messages", "events.stored_events"):
                process = home.start(*INGEST, "--url", url)
                reached = f"SELECT count(*) > 500 FROM {table}".encode()
                until(lambda: process.poll() is not None or watch.execute(reached).fetchone() == (True,), "no progress")  # noqa: B023
                process.kill()
                assert ended(process).returncode == -signal.SIGKILL
            _take_in(home)
            log = event_log(watch)
        assert home.json("status")["balance_holds"] is True
    with northwind.connect() as connection:
        assert log == event_log(connection)


def test_what_the_customer_changes_becomes_the_right_events(northwind: Home, owner: psycopg.Connection) -> None:
    with psycopg.connect(northwind.conninfo("northwind")) as late:
        late.execute(
            "INSERT INTO orders (order_id, customer_id, order_date, freight) VALUES (12000, 'ALFKI', '1998-05-07', 1)"
        )
        late.execute("INSERT INTO order_details VALUES (12000, 11, 21, 5, 0)")
        owner.execute("UPDATE order_details SET quantity = quantity - 4 WHERE (order_id, product_id) = (11077, 2)")
        owner.execute("DELETE FROM order_details WHERE (order_id, product_id) = (11077, 3)")
        owner.execute("INSERT INTO order_details VALUES (11077, 11, 21, 5, 0.05)")
        owner.execute("UPDATE order_details SET quantity = quantity + 5 WHERE (order_id, product_id) = (11076, 6)")
        owner.execute("INSERT INTO order_details VALUES (10249, 11, 21, 5, 0)")
        owner.execute("UPDATE orders SET required_date = '1998-06-30' WHERE order_id = 11076")
        owner.execute("DELETE FROM order_details WHERE order_id = 11075")
        owner.execute("DELETE FROM orders WHERE order_id = 11075")
        owner.execute("UPDATE orders SET shipped_date = '1998-05-08' WHERE order_id = 11074")
        owner.execute("UPDATE orders SET freight = 1 WHERE order_id = 10248")
        owner.execute("UPDATE customers SET company_name = 'Alfreds' WHERE customer_id = 'ALFKI'")
        taken = _take_in(northwind)
        late.commit()
    assert taken["rows_read"] == 8, "those that were updated or inserted, but not their order's other rows"
    assert (taken["messages"], taken["quarantined"]) == (13, 2)
    after = _take_in(northwind)
    assert (after["rows_read"], after["applied"], after["quarantined"]) == (2, 1, 0)
    assert _take_in(northwind) == NOTHING | {"keys_read": ROWS + 4 - 5}

    with northwind.connect() as connection:
        log = event_log(connection)
    history = {stream: [event for each, _, _, event in log if each == stream] for stream, *_ in log}
    assert [type(event).__name__ for event in history["order-12000"]] == ["OrderPlaced"]
    *cancellations, added = history["order-11077"][1:]
    assert [(event.line_no, event.quantity, event.open) for event in cancellations] == [(2, 4, 20), (3, 4, 0)]
    assert [(line.line_no, line.product_id, line.quantity) for line in added.lines] == [(11, "11", 5)]
    revised, increased = history["order-11076"][1:]
    assert [(line.line_no, line.quantity, line.ordered) for line in increased.lines] == [(6, 5, 25)]
    assert (type(revised).__name__, revised.requested_date) == ("RequestedDateRevised", date(1998, 6, 30))
    _, first, second, _, shipped = history["order-10249"]
    assert {type(each).__name__ for each in (first, second, shipped)} == {"OrderLineShipped"}
    assert (shipped.line_no, shipped.quantity, shipped.occurred_at) == (11, 5, first.occurred_at)
    assert type(history["order-11075"][-1]).__name__ == "OrderCancelled"
    assert type(history["order-11074"][-1]).__name__ == "OrderLineShipped"
    assert history["customer-ALFKI"][-1].name == "Alfreds"
    details = [each["detail"] for each in northwind.json("quarantine", "list") if each["code"] == "UnsupportedChange"]
    unplanned, freight = sorted(details, key=lambda detail: "freight" in detail)
    assert freight.startswith("orders 10248: freight was 32.38, is 1.00: ")
    assert unplanned.startswith("orders 10249: lines was ")
    assert unplanned.endswith("nothing can be asked for that after PlanShipment")
    (row,) = northwind.json("kpi")["rows"]
    # Beside the dump's: the late order, the two lines that were added, and the units by which one was raised.
    expected = {"gross": "1354898.59", "units": 51_317 + 5 + 5 + 5 + 5, "order_lines": 2_155 + 1 + 2}
    assert {name: row["figures"][name] for name in expected} == expected
    assert northwind.json("verify")["equal"] is True
