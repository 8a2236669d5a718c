"""Who waits for what since when, which orders still matter, and how much is served at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from application.processes.backlog import Backlog
from application.processes.order_history import orders_named_by
from application.processes.stockroom import Stockroom
from domain.inventory.events import StockReceived
from domain.order.events import OrderLineAllocated, OrderLineBackordered
from tests.unit.application.processes.house import NOON


def backordered(at: datetime, units: int = 5) -> OrderLineBackordered:
    return OrderLineBackordered(occurred_at=at, line_no=1, quantity=units, open=0, backordered=units)


def allocated(at: datetime) -> OrderLineAllocated:
    return OrderLineAllocated(
        occurred_at=at, line_no=1, quantity=5, location_id="main", open=0, backordered=0, allocated=5
    )


def test_a_line_that_was_served_and_waits_again_is_as_old_as_its_new_waiting() -> None:
    backlog = Backlog()
    later = NOON + timedelta(hours=3)
    backlog.apply("1", backordered(NOON))
    backlog.name_products("1", {1: "A"})
    backlog.apply("1", allocated(NOON + timedelta(hours=1)))
    assert (backlog.has("A"), list(backlog.by_age("A"))) == (False, [])
    backlog.apply("1", backordered(later, 2))
    backlog.name_products("1", {1: "A"})
    assert list(backlog.by_age("A")) == [(later, "1", 1, 2)]


@pytest.mark.parametrize("named", [False, True])
def test_an_order_matters_as_long_as_one_of_its_lines_waits(named: bool) -> None:
    backlog = Backlog()
    assert not backlog.concerns("1", "OrderLineAllocated.v1")
    backlog.apply("1", backordered(NOON))
    assert backlog.concerns("1", "OrderLineAllocated.v1")
    assert backlog.unnamed() == ["1"]
    if named:
        backlog.name_products("1", {1: "A"})
    backlog.apply("1", allocated(NOON))
    assert not backlog.concerns("1", "OrderLineAllocated.v1")
    assert backlog.unnamed() == []


def test_about_as_many_back_orders_as_asked_for_are_served_at_once() -> None:
    room = Stockroom()
    for number, product_id in enumerate("ABC"):
        room.apply(f"order-{number}", 2, backordered(NOON))
        room.name_products(str(number), {1: product_id})
        received = StockReceived(
            occurred_at=NOON,
            product_id=product_id,
            location_id="main",
            quantity=9,
            supplier_id=None,
            unit_cost=None,
            ordered_at=None,
            on_hand=9,
            reserved=0,
            quarantined=0,
        )
        room.apply(f"inventory-{product_id}@main", 1, received)
    assert [each.cause_stream for each in room.servable(2)] == ["inventory-A@main", "inventory-B@main"]
    assert len(list(room.servable(9))) == 3


@pytest.mark.parametrize(
    ("reservation_id", "orders"),
    [
        ("10248/1", ["10248"]),
        ("10248/1/2", ["10248/1", "10248"]),
        ("2026/7/1", ["2026/7", "2026"]),
        ("web/7/1", ["web/7", "web"]),
        ("web/x/1", ["web/x"]),
        ("/1", []),
        ("/1/2", ["/1"]),
        ("stocktaking", []),
        ("10248/first", []),
        ("10248/1/first", []),
    ],
)
def test_a_reservation_may_be_for_the_orders_that_its_name_can_hold(reservation_id: str, orders: list[str]) -> None:
    assert orders_named_by(reservation_id) == orders
