"""Shipments: what left is shipped, what arrived delivered, what came back restocked or scrapped."""

from datetime import timedelta
from typing import Any

import pytest

from application.ports.event_store import Batch, Tracking
from domain.inventory.commands import ShipStock
from domain.order.commands import HoldOrder, LineQuantity, ReleaseOrder, ReturnOrderLines, ShipOrderLines
from domain.shipment.commands import ReturnShipment
from tests.unit.application.processes.house import NOON, House, delivered, dispatched, placed, planned, received


@pytest.fixture
def house() -> House:
    house = House()
    house.tell(received("A", "main", 10), received("A", "other", 10), placed("1", ("A", 4)))
    house.run()
    return house


def returned(units: int, reason: str, hours: int = 3) -> ReturnOrderLines:
    lines = (LineQuantity(line_no=1, quantity=units),)
    return ReturnOrderLines(order_id="1", occurred_at=NOON + timedelta(hours=hours), lines=lines, reason=reason)


def test_a_dispatched_shipment_ships_the_lines_and_the_stock_that_was_reserved(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 3)), dispatched("S"))
    assert house.run() == ["OrderLineShipped", "StockShipped"]
    line, stock = house.order("1").lines[1], house.stock("A", "main")
    assert (line.shipped, line.allocated, stock.on_hand, stock.reserved) == (3, 1, 7, 1)


def test_a_delivered_shipment_delivers_the_lines_that_arrived(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 4)), dispatched("S"), delivered("S"))
    house.run()
    assert house.order("1").lines[1].delivered == 4


def test_what_left_from_elsewhere_is_taken_there_and_no_longer_reserved_here(house: House) -> None:
    house.tell(planned("S", "1", "other", (1, "A", 4)), dispatched("S"))
    house.run()
    assert (house.stock("A", "other").on_hand, house.stock("A", "main").reserved) == (6, 0)


def test_where_nobody_says_from_where_units_leave_from_where_they_were_reserved(house: House) -> None:
    house.tell(planned("S", "1", None, (1, "A", 4)), dispatched("S"))
    house.run()
    assert (house.stock("A", "main").on_hand, house.stock("A", "main").reserved) == (6, 0)


@pytest.mark.parametrize("restart", [False, True])
def test_a_shipment_of_an_order_that_is_not_there_yet_waits_for_it(house: House, restart: bool) -> None:
    house.tell(planned("S", "later", "main", (1, "A", 2)), dispatched("S"), delivered("S"))
    assert house.run() == []
    assert [(case.status, case.stream_id, case.code) for case in house.open_cases()] == [
        ("waiting", "order-later", "AggregateMissing")
    ] * 2
    assert house.runner.checkpoint() == len(house.database.log)
    if restart:
        house.restart()
    house.tell(placed("later", ("A", 2)))
    house.run()
    assert (house.order("later").lines[1].delivered, house.stock("A", "main").on_hand) == (2, 8)
    assert house.open_cases() == []


def test_a_shipment_from_a_stock_that_is_not_there_yet_waits_for_it(house: House) -> None:
    house.tell(planned("S", "1", "new", (1, "A", 4)), dispatched("S"))
    house.run()
    assert [case.stream_id for case in house.open_cases()] == ["inventory-A@new"]
    house.tell(received("A", "new", 5))
    house.run()
    assert (house.order("1").lines[1].shipped, house.stock("A", "new").on_hand) == (4, 1)
    assert house.open_cases() == []


def test_a_refusal_is_kept_with_its_reason_and_nothing_of_its_cause_is_carried_out(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 4), (9, "A", 1)), dispatched("S"), placed("2", ("A", 1)))
    assert house.run() == ["StockReserved", "OrderLineAllocated"]
    (case,) = house.open_cases()
    assert (case.status, case.code, case.event_id) == ("parked", "UnknownOrderLine", "shipment-S:2")
    assert house.stock("A", "main").on_hand == 10


def test_what_a_held_order_refused_is_tried_again_when_it_is_released(house: House) -> None:
    house.tell(HoldOrder(order_id="1", occurred_at=NOON, reason="credit check"))
    house.tell(planned("S", "1", "main", (1, "A", 4)), dispatched("S"))
    house.run()
    assert [case.code for case in house.open_cases()] == ["OrderOnHold"]
    house.restart()
    house.tell(ReleaseOrder(order_id="1", occurred_at=NOON))
    house.run()
    assert (house.order("1").lines[1].shipped, house.open_cases()) == (4, [])


def test_parked_cases_are_tried_again_when_somebody_asks(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 7)), dispatched("S"))
    house.run()
    assert [case.code for case in house.open_cases()] == ["ShippingExceedsRemaining"]
    assert house.runner.retry_parked() == 1
    house.run()
    assert [case.attempts for case in house.open_cases()] == [2]


def test_returned_units_go_back_on_the_shelf_that_they_left(house: House) -> None:
    house.tell(planned("S", "1", "other", (1, "A", 4)), dispatched("S"), delivered("S"))
    house.run()
    house.tell(returned(3, "not needed"))
    house.run()
    assert house.stock("A", "other").on_hand == 9


def test_where_nobody_says_from_where_units_left_they_go_back_where_they_were_allocated(house: House) -> None:
    house.tell(planned("S", "1", None, (1, "A", 4)), dispatched("S"), delivered("S"))
    house.run()
    house.tell(returned(3, "not needed"))
    house.run()
    assert (house.stock("A", "main").on_hand, house.open_cases()) == (9, [])


def test_units_that_come_back_one_after_the_other_are_each_put_back_once(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 4)), dispatched("S"), delivered("S"))
    house.run()
    house.tell(returned(1, "not needed"), returned(1, "not needed", hours=4))
    house.run()
    assert house.stock("A", "main").on_hand == 8
    house.tell(returned(1, "not needed", hours=5))
    house.run()
    assert house.stock("A", "main").on_hand == 9


def test_damaged_units_are_scrapped(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 4)), dispatched("S"), delivered("S"))
    house.run()
    house.tell(returned(3, "Damaged"))
    assert house.run()[-2:] == ["StockReturned", "StockScrapped"]
    assert house.stock("A", "main").on_hand == 6


@pytest.mark.parametrize("units", [1, 4])
def test_a_shipment_that_went_back_to_its_sender_is_restocked(house: House, units: int) -> None:
    back = ReturnShipment(shipment_id="S", occurred_at=NOON + timedelta(hours=5), reason="refused")
    house.tell(planned("S", "1", "main", (1, "A", units)), dispatched("S"), back)
    house.run()
    assert house.stock("A", "main").on_hand == 10


def test_of_a_shipment_that_went_back_lines_of_no_order_are_nobodys_and_hold_up_no_others(house: House) -> None:
    lines = (LineQuantity(line_no=1, quantity=4),)
    house.tell(ShipOrderLines(order_id="1", occurred_at=NOON, lines=lines, shipment_id="S", location_id="main"))
    house.tell(ShipStock(product_id="A", location_id="main", occurred_at=NOON, quantity=4, reservation_id="1/1"))
    house.tell(planned("S", "1", "main", (1, "A", 4), (9, "A", 1)), dispatched("S"))
    house.tell(ReturnShipment(shipment_id="S", occurred_at=NOON + timedelta(hours=5), reason="refused"))
    house.run()
    assert (house.stock("A", "main").on_hand, house.open_cases()) == (10, [])


def test_running_it_all_again_from_the_beginning_of_the_log_changes_nothing(house: House) -> None:
    house.tell(planned("S", "1", "main", (1, "A", 4)), dispatched("S"), delivered("S"))
    house.run()
    house.tell(returned(1, "not needed"), returned(1, "damaged", hours=4), placed("2", ("A", 99)))
    house.tell(planned("T", "none", "main", (1, "A", 1)), dispatched("T"), planned("U", "1", "main", (1, "A", 9)))
    house.tell(dispatched("U"))
    house.run()
    before: Any = list(house.database.log), house.cases.counts("fulfilment")
    del house.database.tracking["fulfilment"]
    house.restart()
    assert house.run() == []
    assert (house.database.log, house.cases.counts("fulfilment")) == before


def test_two_runners_of_one_process_do_no_harm(house: House) -> None:
    other = House()
    other.database = house.database
    other.store, other.cases = house.store, house.cases
    other.restart()
    other.run()
    for number in range(10, 14):
        house.tell(placed(str(number), ("A", 3)))
        house.run()
        other.run()
    assert house.topics()["StockReserved"] == house.topics()["OrderLineAllocated"] == 5
    assert house.stock("A", "main").reserved == 10


def test_a_batch_that_another_writer_overtook_is_decided_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    append = house.store.append
    overtaken: list[bool] = []

    def overtake(batch: Batch) -> None:
        if not overtaken and batch.tracking == Tracking("fulfilment", len(house.database.log)):
            overtaken.append(True)
            monkeypatch.setattr(house.store, "append", append)
            house.tell(received("A", "main", 100))
        append(batch)

    house.tell(placed("2", ("A", 9)))
    monkeypatch.setattr(house.store, "append", overtake)
    house.run()
    assert overtaken
    assert (house.stock("A", "main").on_hand, house.order("2").lines[1].allocated) == (110, 9)
