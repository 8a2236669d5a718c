"""The example mappings give the figures of the real data that they were written for."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.files.duckdb_file_source import DuckDbFileSource
from application.ingest.messages import REJECTED_TYPE, CloudEvent, decode_command, decode_envelope
from domain.inventory.commands import CountStock
from domain.order.commands import PlaceOrder, ShipOrderLines
from domain.shared.measures import round_money
from domain.shipment.commands import DispatchShipment, PlanShipment

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATAFLOW_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "northwind"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason=f"reference data absent: no {DATA} (DATAFLOW_REFERENCE_DATA names another folder)",
)


def _events(folder: str, mapping: str) -> list[CloudEvent]:
    messages = DuckDbFileSource().messages(DATA / folder, PROJECT / "examples" / mapping)
    return [decode_envelope(message.payload) for message in messages]


@pytest.fixture(scope="module")
def northwind() -> list[Any]:
    return [decode_command(event)[1] for event in _events("csv", "northwind")]


@pytest.fixture(scope="module")
def neo4j() -> list[CloudEvent]:
    return _events("neo4j_csv", "northwind-neo4j")


def _of(commands: list[Any], kind: type) -> list[Any]:
    return [command for command in commands if type(command) is kind]


def test_every_row_of_northwind_becomes_its_command(northwind: list[Any]) -> None:
    assert Counter(type(command).__name__ for command in northwind) == {
        "RegisterLocation": 1,
        "RegisterSupplier": 29,
        "RegisterCustomer": 91,
        "RegisterCarrier": 6,
        "RegisterProduct": 77,
        "SetReorderPoint": 77,
        "PlaceOrder": 830,
        "ShipOrderLines": 809,
        "PlanShipment": 809,
        "DispatchShipment": 809,
        "CountStock": 77,
    }


def test_northwinds_orders_add_up(northwind: list[Any]) -> None:
    orders = _of(northwind, PlaceOrder)
    lines = [line for order in orders for line in order.lines]
    assert len(lines) == 2_155
    assert sum(line.quantity for line in lines) == 51_317
    assert sum(line.quantity * line.unit_price for line in lines) == Decimal("1354458.59")
    net = sum(line.quantity * line.unit_price * (1 - line.discount) for line in lines)
    assert net == Decimal("1265793.0395")
    assert sum(order.freight for order in orders) == Decimal("64942.69")
    assert {order.currency for order in orders} == {"USD"}


def test_northwinds_net_by_year(northwind: list[Any]) -> None:
    net: Counter[int] = Counter()
    for order in _of(northwind, PlaceOrder):
        net[order.occurred_at.year] += sum(
            line.quantity * line.unit_price * (1 - line.discount) for line in order.lines
        )
    assert {year: round_money(amount) for year, amount in net.items()} == {
        1996: Decimal("208083.97"),
        1997: Decimal("617085.20"),
        1998: Decimal("440623.87"),
    }


def test_northwinds_lines_are_numbered_in_the_order_of_their_products(northwind: list[Any]) -> None:
    for order in _of(northwind, PlaceOrder):
        assert [line.line_no for line in order.lines] == list(range(1, len(order.lines) + 1))
        products = [int(line.product_id) for line in order.lines]
        assert products == sorted(products)


def test_northwinds_shipped_orders_left_as_a_whole(northwind: list[Any]) -> None:
    placed = {order.order_id: order for order in _of(northwind, PlaceOrder)}
    shipped = _of(northwind, ShipOrderLines)
    for command in shipped:
        assert [(line.line_no, line.quantity) for line in command.lines] == [
            (line.line_no, line.quantity) for line in placed[command.order_id].lines
        ]
    carriers = Counter(command.carrier_id for command in shipped)
    late = Counter(
        command.carrier_id
        for command in shipped
        if command.occurred_at.date() > placed[command.order_id].requested_date
    )
    assert carriers == {"1": 245, "2": 315, "3": 249}
    assert late == {"1": 12, "2": 16, "3": 9}
    planned = {(plan.shipment_id, plan.order_id) for plan in _of(northwind, PlanShipment)}
    assert planned == {(command.shipment_id, command.order_id) for command in shipped}
    assert {each.shipment_id for each in _of(northwind, DispatchShipment)} == {s for s, _ in planned}


def test_northwinds_stock_is_that_of_its_export(northwind: list[Any]) -> None:
    assert sum(command.counted for command in _of(northwind, CountStock)) == 3_119


def test_northwinds_catalog_is_known_before_its_first_order(northwind: list[Any]) -> None:
    first = min(order.occurred_at for order in _of(northwind, PlaceOrder))
    registered = [command for command in northwind if type(command).__name__.startswith("Register")]
    assert all(command.occurred_at < first for command in registered)


def test_northwind_is_the_same_messages_when_it_is_read_again() -> None:
    assert [e.id for e in _events("csv", "northwind")] == [e.id for e in _events("csv", "northwind")]


def test_broken_rows_end_as_rejected_rows_and_the_others_load(neo4j: list[CloudEvent]) -> None:
    rejected = [event for event in neo4j if event.type == REJECTED_TYPE]
    assert Counter(event.originfile for event in rejected) == {
        "orders.csv": 176,
        "customers.csv": 24,
        "suppliers.csv": 9,
    }
    assert Counter(event.type.split(".")[1] for event in neo4j if event.type != REJECTED_TYPE) == {
        "RegisterSupplier": 20,
        "RegisterCustomer": 67,
        "PlaceOrder": 654,
    }


def test_a_broken_row_is_kept_with_the_line_that_it_has_in_its_file(neo4j: list[CloudEvent]) -> None:
    for event in neo4j:
        assert event.originfile is not None
        assert event.originline is not None
        line = (DATA / "neo4j_csv" / event.originfile).read_text().splitlines()[event.originline - 1]
        if event.type == REJECTED_TYPE:
            assert f'"text":"{line.replace(chr(34), chr(92) + chr(34))}"'.encode() in bytes(event.data)
        else:
            assert event.subject is not None
            assert line.split(",")[0] == event.subject.partition("-")[2]


def test_the_word_null_is_null(neo4j: list[CloudEvent]) -> None:
    assert not [event for event in neo4j if event.type != REJECTED_TYPE and b'"NULL"' in bytes(event.data)]
