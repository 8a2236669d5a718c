"""Orders: reserved, allocated, back-ordered, served by age, released."""

from datetime import timedelta
from decimal import Decimal

import pytest

from application import codec
from domain.catalog.commands import RegisterCustomer, RegisterLocation
from domain.inventory.commands import CountStock, ReserveStock
from domain.inventory.errors import ReservationAlreadyUsed
from domain.order.commands import (
    AddOrderLines,
    AllocateOrderLines,
    BackorderOrderLines,
    CancelOrder,
    CancelOrderLines,
    HoldOrder,
    IncreaseOrderLines,
    LineQuantity,
    OrderedLine,
    ReleaseOrder,
)
from domain.order.errors import AllocationExceedsDemand
from tests.unit.application.processes.house import NOON, House, placed, received


@pytest.fixture
def house() -> House:
    return House()


def units(house: House, order_id: str, line_no: int = 1) -> tuple[int, int, int]:
    """Open, back-ordered, allocated."""
    line = house.order(order_id).lines[line_no]
    return line.open, line.backordered, line.allocated


def test_each_line_is_reserved_and_allocated_and_the_rest_waits(house: House) -> None:
    house.tell(received("A", "main", 10), placed("1", ("A", 4), ("B", 2)), placed("2", ("A", 9)))
    house.run()
    assert (units(house, "1", 1), units(house, "1", 2), units(house, "2")) == ((0, 0, 4), (0, 2, 0), (0, 3, 6))
    assert house.stock("A", "main").reserved == 10


def test_events_name_their_cause_what_they_belong_to_and_the_process(house: House) -> None:
    house.tell(received("A", "main", 10), placed("1", ("A", 4)))
    house.run()
    for recorded in house.database.log[2:]:
        _, metadata = codec.decode_with_metadata(*recorded)
        assert (metadata.causation_id, metadata.correlation_id) == ("order-1:1", "told")
        assert (metadata.actor, metadata.source) == ("fulfilment", "process:fulfilment")


def test_a_line_is_split_over_locations_only_where_none_has_enough(house: House) -> None:
    house.tell(received("A", "m1", 5), received("A", "m2", 6), placed("1", ("A", 6)), placed("2", ("A", 5)))
    house.tell(received("B", "m1", 5), received("B", "m2", 6), placed("3", ("B", 9)))
    house.run()
    assert house.stock("A", "m2").reservations.keys() == {"1/1"}
    assert house.stock("A", "m1").reservations.keys() == {"2/1"}
    assert (house.stock("B", "m2").reservations.keys(), house.stock("B", "m1").reservations.keys()) == (
        {"3/1"},
        {"3/1/2"},
    )


def test_lines_of_one_product_do_not_count_on_the_same_units(house: House) -> None:
    house.tell(received("A", "main", 6), placed("1", ("A", 4), ("A", 4)))
    house.run()
    assert (units(house, "1", 1), units(house, "1", 2)) == ((0, 0, 4), (0, 2, 2))
    assert house.stock("A", "main").reserved == 6


def test_each_share_of_a_split_line_is_released_where_it_was_reserved(house: House) -> None:
    for product_id, location_id, quantity in (("A", "m1", 5), ("A", "m2", 4), ("B", "m3", 6), ("B", "m2", 5)):
        house.tell(received(product_id, location_id, quantity))
    house.tell(placed("1", ("A", 9), ("B", 11)))
    house.run()
    assert house.stock("B", "m2").reservations.keys() == {"1/2/2"}
    house.tell(CancelOrder(order_id="1", occurred_at=NOON, reason="changed their mind"))
    house.run()
    for product_id, location_id in (("A", "m1"), ("A", "m2"), ("B", "m3"), ("B", "m2")):
        assert house.stock(product_id, location_id).reserved == 0


def test_the_nearest_location_serves_a_customer_where_the_catalog_knows_the_way(house: House) -> None:
    for location_id, latitude in (("a-far", 10.0), ("b-near", 52.0)):
        house.tell(
            RegisterLocation(
                location_id=location_id, occurred_at=NOON, name=location_id, latitude=latitude, longitude=13.0
            )
        )
    house.tell(RegisterCustomer(customer_id="C1", occurred_at=NOON, name="C", latitude=50.0, longitude=14.0))
    house.tell(received("A", "a-far", 9), received("A", "b-near", 9), placed("1", ("A", 1)))
    house.tell(placed("2", ("A", 1), customer_id="somewhere"))
    house.run()
    assert house.stock("A", "b-near").reservations.keys() == {"1/1"}
    assert house.stock("A", "a-far").reservations.keys() == {"2/1"}


def test_stock_that_comes_serves_back_orders_by_the_age_of_the_order_not_by_its_arrival(house: House) -> None:
    house.tell(placed("late", ("A", 5), minutes=9), placed("early", ("A", 5), minutes=1))
    house.run()
    house.tell(received("A", "main", 7, minutes=20))
    assert house.run() == ["StockReserved", "OrderLineAllocated"] * 2
    assert (units(house, "early"), units(house, "late")) == ((0, 0, 5), (0, 3, 2))
    (served,) = house.store.load(["order-early"])["order-early"][2:]
    event, metadata = codec.decode_with_metadata(*served)
    assert metadata.causation_id == "inventory-A@main:1"
    assert event.occurred_at == NOON + timedelta(minutes=20)


def test_back_orders_are_served_because_of_what_made_units_available_last(house: House) -> None:
    house.tell(placed("1", ("A", 5), minutes=1))
    house.run()
    unchanged = CountStock(product_id="A", location_id="m1", occurred_at=NOON + timedelta(minutes=30), counted=3)
    house.tell(received("A", "m1", 3, minutes=20), received("A", "m2", 3, minutes=10), unchanged)
    known = len(house.database.log)
    assert house.run() == ["StockReserved", "StockReserved", "OrderLineAllocated", "OrderLineAllocated"]
    for recorded in house.database.log[known:]:
        event, metadata = codec.decode_with_metadata(*recorded)
        assert (metadata.causation_id, event.occurred_at) == ("inventory-A@m1:1", NOON + timedelta(minutes=20))


def test_a_back_order_that_can_not_be_served_is_set_aside_and_keeps_nobody_behind_it_waiting(house: House) -> None:
    house.tell(placed("refused", ("A", 5), minutes=1), placed("next", ("A", 5), minutes=2))
    house.run()
    reserve = ReserveStock(product_id="A", location_id="m2", occurred_at=NOON, reservation_id="refused/1", quantity=1)
    house.tell(received("A", "m2", 1, minutes=3), reserve, received("A", "m1", 5, minutes=4))
    house.run()
    assert [(case.status, case.code, case.stream_id) for case in house.open_cases()] == [
        ("parked", "ReservedElsewhere", "order-refused")
    ]
    assert (units(house, "refused"), units(house, "next")) == ((0, 5, 0), (0, 0, 5))


def test_a_back_order_that_got_a_part_keeps_its_age(house: House) -> None:
    house.tell(placed("early", ("A", 5), minutes=1), placed("late", ("A", 5), minutes=2))
    house.run()
    for minutes in (20, 21):
        house.tell(received("A", "main", 2, minutes=minutes))
        house.run()
    assert (units(house, "early"), units(house, "late")) == ((0, 1, 4), (0, 5, 0))


def test_a_new_order_does_not_overtake_one_that_waits(house: House) -> None:
    house.tell(placed("waits", ("A", 5)))
    house.run()
    house.tell(placed("new", ("A", 5), minutes=5), received("A", "main", 5, minutes=6))
    house.run()
    assert (units(house, "waits"), units(house, "new")) == ((0, 0, 5), (0, 5, 0))


def test_what_a_cancelled_order_held_is_released_and_serves_who_waits(house: House) -> None:
    house.tell(received("A", "main", 5), placed("1", ("A", 5)), placed("2", ("A", 3)))
    house.run()
    house.tell(CancelOrder(order_id="1", occurred_at=NOON, reason="changed their mind"))
    house.run()
    assert (units(house, "2"), house.stock("A", "main").reservations.keys()) == ((0, 0, 3), {"2/1"})
    assert house.stock("A", "main").available == 2


def test_units_cancelled_of_a_line_are_released_from_its_reservations(house: House) -> None:
    house.tell(received("A", "main", 5), placed("1", ("A", 5)))
    house.run()
    house.tell(
        CancelOrderLines(
            order_id="1", occurred_at=NOON, lines=(LineQuantity(line_no=1, quantity=2),), reason="too many"
        )
    )
    house.run()
    assert house.stock("A", "main").reservations["1/1"].remaining == 3


def test_a_held_order_is_served_after_its_release_only(house: House) -> None:
    house.tell(placed("held", ("A", 5)), placed("next", ("A", 5), minutes=1))
    house.run()
    house.tell(HoldOrder(order_id="held", occurred_at=NOON, reason="credit check"), received("A", "main", 5))
    house.run()
    assert (units(house, "held"), units(house, "next")) == ((0, 5, 0), (0, 0, 5))
    house.tell(received("A", "main", 5), ReleaseOrder(order_id="held", occurred_at=NOON))
    house.run()
    assert units(house, "held") == (0, 0, 5)


def test_an_order_held_before_it_was_looked_at_is_served_after_its_release(house: House) -> None:
    house.tell(received("A", "main", 5), placed("1", ("A", 5)))
    house.tell(HoldOrder(order_id="1", occurred_at=NOON, reason="credit check"))
    assert (house.run(), house.open_cases()) == ([], [])
    house.tell(ReleaseOrder(order_id="1", occurred_at=NOON))
    house.run()
    assert units(house, "1") == (0, 0, 5)


def test_units_that_a_count_did_not_find_are_taken_from_elsewhere_or_wait(house: House) -> None:
    house.tell(received("A", "m1", 5), placed("1", ("A", 5)), received("A", "m2", 2))
    house.run()
    house.tell(CountStock(product_id="A", location_id="m1", occurred_at=NOON, counted=1))
    house.run()
    assert units(house, "1") == (0, 2, 3)
    assert (house.stock("A", "m1").reserved, house.stock("A", "m2").reserved) == (1, 2)


def more(order_id: str, quantity: int, minutes: int = 5) -> IncreaseOrderLines:
    at = NOON + timedelta(minutes=minutes)
    return IncreaseOrderLines(order_id=order_id, occurred_at=at, lines=(LineQuantity(line_no=1, quantity=quantity),))


def added(order_id: str, line_no: int, product_id: str, quantity: int) -> AddOrderLines:
    line = OrderedLine(line_no=line_no, product_id=product_id, quantity=quantity, unit_price=Decimal(5))
    return AddOrderLines(order_id=order_id, occurred_at=NOON + timedelta(minutes=5), lines=(line,))


def test_lines_and_units_that_are_ordered_later_are_reserved_or_wait_like_the_first(house: House) -> None:
    house.tell(received("A", "main", 10), received("B", "main", 3), placed("1", ("A", 4)))
    house.run()
    for growth in (added("1", 2, "B", 5), more("1", 2)):
        house.tell(growth)
        assert "OrderLineAllocated" in house.run()
    assert (units(house, "1", 1), units(house, "1", 2)) == ((0, 0, 6), (0, 2, 3))
    assert house.stock("A", "main").reservations.keys() == {"1/1", "1/1/2"}
    house.tell(received("B", "main", 9, minutes=9))
    assert house.run() == ["StockReserved", "OrderLineAllocated"]
    assert units(house, "1", 2) == (0, 0, 5)


def test_what_a_held_order_gets_later_waits_for_its_release(house: House) -> None:
    house.tell(received("A", "main", 10), placed("1", ("A", 4)))
    house.run()
    house.tell(HoldOrder(order_id="1", occurred_at=NOON, reason="credit"), added("1", 2, "A", 3), more("1", 1))
    assert house.run() == []
    house.tell(ReleaseOrder(order_id="1", occurred_at=NOON + timedelta(minutes=9)))
    house.run()
    assert (units(house, "1", 1), units(house, "1", 2)) == ((0, 0, 5), (0, 0, 3))


def test_a_line_that_somebody_else_added_and_backordered_is_served_as_well(house: House) -> None:
    house.tell(placed("1", ("A", 1)))
    house.run()
    waits = BackorderOrderLines(order_id="1", occurred_at=NOON, lines=(LineQuantity(line_no=2, quantity=3),))
    house.tell(added("1", 2, "B", 3), waits)
    house.run()
    house.tell(received("B", "main", 3, minutes=9))
    house.run()
    assert units(house, "1", 2) == (0, 0, 3)


def test_what_the_source_decided_first_is_not_decided_again(house: House) -> None:
    reserve = ReserveStock(product_id="A", location_id="main", occurred_at=NOON, reservation_id="1/1", quantity=4)
    allocate = AllocateOrderLines(
        order_id="1", occurred_at=NOON, location_id="main", lines=(LineQuantity(line_no=1, quantity=4),)
    )
    house.tell(received("A", "main", 10), placed("1", ("A", 4)), reserve, allocate)
    assert house.run() == []


def test_what_a_source_allocated_without_reserving_it_is_not_taken_away_again(house: House) -> None:
    lines = (LineQuantity(line_no=1, quantity=4),)
    allocate = AllocateOrderLines(order_id="1", occurred_at=NOON, location_id="main", lines=lines)
    house.tell(received("A", "main", 10), placed("1", ("A", 4)), allocate)
    assert house.run() == []
    assert units(house, "1") == (0, 0, 4)


def test_where_both_decide_the_second_one_is_refused_and_nothing_is_reserved_twice(house: House) -> None:
    reserve = ReserveStock(product_id="A", location_id="main", occurred_at=NOON, reservation_id="1/1", quantity=4)
    house.tell(received("A", "a-first", 10), received("A", "main", 10), placed("1", ("A", 4)), reserve)
    assert house.run() == []
    (case,) = house.open_cases()
    assert (case.status, case.code, case.event_id) == ("parked", "ReservedElsewhere", "order-1:1")

    house.tell(placed("2", ("A", 4)))
    house.run()
    with pytest.raises(ReservationAlreadyUsed):
        house.tell(
            ReserveStock(product_id="A", location_id="a-first", occurred_at=NOON, reservation_id="2/1", quantity=4)
        )
    with pytest.raises(AllocationExceedsDemand):
        house.tell(
            AllocateOrderLines(
                order_id="2", occurred_at=NOON, location_id="main", lines=(LineQuantity(line_no=1, quantity=4),)
            )
        )
