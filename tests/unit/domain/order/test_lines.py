"""What happens to units of order lines."""

from __future__ import annotations

import pytest

from domain.order.errors import (
    AllocationExceedsDemand,
    BackorderExceedsOpen,
    CancellationExceedsRemaining,
    DeliveryExceedsShipped,
    DuplicateOrderLine,
    NoOrderLines,
    ReleaseExceedsAllocated,
    ReturnExceedsDelivered,
    ShippedUnitsNotCancellable,
    ShippingExceedsRemaining,
    UnknownOrderLine,
)
from domain.order.events import (
    AllocationReleased,
    OrderLineAllocated,
    OrderLineBackordered,
    OrderLineCancelled,
    OrderLineDelivered,
    OrderLineReturned,
    OrderLineShipped,
)
from domain.shared.refusal import InvalidQuantity
from tests.unit.domain.order.samples import (
    AT,
    ORDER,
    PLACED,
    allocate,
    backorder,
    cancel_lines,
    deliver,
    increase,
    release_allocation,
    return_lines,
    ship,
)

PLACED_ORDER = ORDER.given(PLACED)
LINE_COMMANDS = [increase, allocate, release_allocation, backorder, ship, deliver, cancel_lines, return_lines]


def allocated(line_no, quantity, **totals):
    return OrderLineAllocated(occurred_at=AT, line_no=line_no, quantity=quantity, location_id="HAM", **totals)


def shipped(line_no, quantity, **totals):
    return OrderLineShipped(
        occurred_at=AT,
        line_no=line_no,
        quantity=quantity,
        shipment_id="SH-1",
        carrier_id="DHL",
        location_id="HAM",
        **totals,
    )


def cancelled(line_no, quantity, **totals):
    return OrderLineCancelled(occurred_at=AT, line_no=line_no, quantity=quantity, reason="changed mind", **totals)


class TestAnyLineCommand:
    @pytest.mark.parametrize("command", LINE_COMMANDS)
    def test_names_at_least_one_line(self, command):
        PLACED_ORDER.when(command()).refused(NoOrderLines)

    @pytest.mark.parametrize("command", LINE_COMMANDS)
    def test_names_lines_of_the_order(self, command):
        PLACED_ORDER.when(command((3, 1))).refused(UnknownOrderLine, "line 3")

    @pytest.mark.parametrize("command", LINE_COMMANDS)
    def test_names_a_line_once(self, command):
        served = PLACED_ORDER.after(ship((1, 4)), deliver((1, 2)), allocate((1, 2)))

        served.when(command((1, 1), (1, 1))).refused(DuplicateOrderLine, "line 1")

    @pytest.mark.parametrize("command", LINE_COMMANDS)
    @pytest.mark.parametrize("quantity", [0, -1])
    def test_names_at_least_one_unit(self, command, quantity):
        PLACED_ORDER.when(command((1, quantity))).refused(InvalidQuantity)

    def test_is_refused_as_a_whole(self):
        PLACED_ORDER.when(allocate((1, 10), (2, 5))).refused(AllocationExceedsDemand, "line 2")

    def test_gives_one_event_for_each_line_in_the_order_named(self):
        PLACED_ORDER.when(allocate((2, 1), (1, 3))).then(
            allocated(2, 1, open=3, backordered=0, allocated=1),
            allocated(1, 3, open=7, backordered=0, allocated=3),
        )


class TestAllocation:
    def test_serves_back_ordered_units_first(self):
        PLACED_ORDER.after(backorder((1, 4))).when(allocate((1, 5))).then(
            allocated(1, 5, open=5, backordered=0, allocated=5)
        )
        PLACED_ORDER.after(backorder((1, 4))).when(allocate((1, 3))).then(
            allocated(1, 3, open=6, backordered=1, allocated=3)
        )

    def test_adds_up(self):
        PLACED_ORDER.after(allocate((1, 3))).when(allocate((1, 7))).then(
            allocated(1, 7, open=0, backordered=0, allocated=10)
        )

    def test_ends_at_what_was_ordered(self):
        PLACED_ORDER.after(allocate((1, 3))).when(allocate((1, 8))).refused(
            AllocationExceedsDemand, "line 1: asked for 8, possible 7"
        )

    def test_released_is_open_again(self):
        PLACED_ORDER.after(allocate((1, 7))).when(release_allocation((1, 2))).then(
            AllocationReleased(occurred_at=AT, line_no=1, quantity=2, reason="damaged", open=5, allocated=5)
        )

    def test_is_not_released_beyond_what_is_allocated(self):
        PLACED_ORDER.after(allocate((1, 2))).when(release_allocation((1, 3))).refused(ReleaseExceedsAllocated)


class TestBackorder:
    def test_takes_open_units(self):
        PLACED_ORDER.after(backorder((2, 1))).when(backorder((2, 2))).then(
            OrderLineBackordered(occurred_at=AT, line_no=2, quantity=2, open=1, backordered=3)
        )

    def test_is_limited_to_open_units(self):
        PLACED_ORDER.after(allocate((2, 2))).when(backorder((2, 3))).refused(BackorderExceedsOpen)


class TestShipping:
    SPLIT = PLACED_ORDER.after(allocate((1, 4)), backorder((1, 2)))

    @pytest.mark.parametrize(
        ("quantity", "allocated", "still_open", "backordered"),
        [(3, 1, 4, 2), (6, 0, 2, 2), (9, 0, 0, 1), (10, 0, 0, 0)],
    )
    def test_takes_allocated_units_then_open_then_back_ordered_ones(self, quantity, allocated, still_open, backordered):
        self.SPLIT.when(ship((1, quantity))).then(
            shipped(1, quantity, open=still_open, backordered=backordered, allocated=allocated, shipped=quantity)
        )

    def test_needs_no_allocation(self):
        PLACED_ORDER.when(ship((2, 4))).then(shipped(2, 4, open=0, backordered=0, allocated=0, shipped=4))

    def test_adds_up(self):
        PLACED_ORDER.after(ship((1, 4))).when(ship((1, 5))).then(
            shipped(1, 5, open=1, backordered=0, allocated=0, shipped=9)
        )

    def test_is_limited_to_what_is_neither_shipped_nor_cancelled(self):
        PLACED_ORDER.after(ship((1, 4)), cancel_lines((1, 1))).when(ship((1, 6))).refused(
            ShippingExceedsRemaining, "asked for 6, possible 5"
        )


class TestDelivery:
    def test_of_units_under_way(self):
        PLACED_ORDER.after(ship((1, 6)), deliver((1, 2))).when(deliver((1, 4))).then(
            OrderLineDelivered(occurred_at=AT, line_no=1, quantity=4, shipment_id="SH-1", delivered=6)
        )

    def test_is_limited_to_units_under_way(self):
        PLACED_ORDER.after(ship((1, 6)), deliver((1, 2))).when(deliver((1, 5))).refused(DeliveryExceedsShipped)


class TestReturn:
    DELIVERED = PLACED_ORDER.after(ship((1, 6)), deliver((1, 5)))

    def test_of_delivered_units(self):
        self.DELIVERED.after(return_lines((1, 1))).when(return_lines((1, 4))).then(
            OrderLineReturned(occurred_at=AT, line_no=1, quantity=4, reason="wrong size", returned=5)
        )

    def test_is_limited_to_delivered_units(self):
        self.DELIVERED.when(return_lines((1, 6))).refused(ReturnExceedsDelivered)

    def test_happens_once_to_a_unit(self):
        self.DELIVERED.after(return_lines((1, 3))).when(return_lines((1, 3))).refused(ReturnExceedsDelivered)


class TestCancellation:
    SPLIT = PLACED_ORDER.after(allocate((1, 4)), backorder((1, 2)))

    @pytest.mark.parametrize(
        ("quantity", "allocated", "still_open", "backordered"),
        [(3, 4, 1, 2), (5, 4, 0, 1), (8, 2, 0, 0), (10, 0, 0, 0)],
    )
    def test_takes_open_units_then_back_ordered_then_allocated_ones(self, quantity, allocated, still_open, backordered):
        self.SPLIT.when(cancel_lines((1, quantity))).then(
            cancelled(1, quantity, open=still_open, backordered=backordered, allocated=allocated, cancelled=quantity)
        )

    def test_adds_up(self):
        PLACED_ORDER.after(cancel_lines((2, 1))).when(cancel_lines((2, 3))).then(
            cancelled(2, 3, open=0, backordered=0, allocated=0, cancelled=4)
        )

    def test_of_shipped_units_is_a_return(self):
        PLACED_ORDER.after(ship((1, 6))).when(cancel_lines((1, 5))).refused(
            ShippedUnitsNotCancellable, "returned, not cancelled.*asked for 5, possible 4"
        )

    def test_is_limited_to_what_was_ordered(self):
        PLACED_ORDER.when(cancel_lines((1, 11))).refused(CancellationExceedsRemaining)
        PLACED_ORDER.after(ship((1, 6))).when(cancel_lines((1, 11))).refused(CancellationExceedsRemaining)

    def test_happens_once_to_a_unit(self):
        PLACED_ORDER.after(cancel_lines((1, 6))).when(cancel_lines((1, 5))).refused(
            CancellationExceedsRemaining, "asked for 5, possible 4"
        )
