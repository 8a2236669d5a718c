"""What happens to an order as a whole: confirmation, promise, hold, cancellation, closing."""

from __future__ import annotations

import pytest

from domain.order.errors import (
    OrderAlreadyCancelled,
    OrderAlreadyClosed,
    OrderAlreadyConfirmed,
    OrderAlreadyDelivered,
    OrderAlreadyHeld,
    OrderAlreadyPlaced,
    OrderAlreadyShipped,
    OrderNotHeld,
    OrderNotPromised,
    OrderOnHold,
    OrderUnfinished,
)
from domain.order.events import (
    OrderCancelled,
    OrderClosed,
    OrderConfirmed,
    OrderHeld,
    OrderLineCancelled,
    OrderLineReturned,
    OrderReleased,
    PromiseRevised,
    RequestedDateRevised,
)
from tests.unit.domain.order.samples import (
    AT,
    CANCEL,
    CLOSE,
    HOLD,
    LATER,
    ORDER,
    PLACE,
    PLACED,
    PROMISE,
    RELEASE,
    UNPROMISED,
    add,
    allocate,
    backorder,
    cancel_lines,
    confirm,
    deliver,
    increase,
    release_allocation,
    request,
    return_lines,
    revise,
    ship,
)

PLACED_ORDER = ORDER.given(PLACED)
EVERYTHING = ((1, 10), (2, 4))
OTHERWISE_LEGAL = [
    add((3, 1)),
    increase((1, 1)),
    confirm(LATER),
    revise(LATER),
    request(LATER),
    allocate((1, 1)),
    release_allocation((1, 1)),
    backorder((1, 1)),
    ship((1, 1)),
    deliver((1, 1)),
    cancel_lines((1, 1)),
    CANCEL,
    HOLD,
    RELEASE,
    CLOSE,
]


def revised(promised_date, original):
    return PromiseRevised(
        occurred_at=AT,
        promised_date=promised_date,
        original_promised_date=original,
        reason="late supplier",
    )


def cancelled(line_no, quantity, total):
    return OrderLineCancelled(
        occurred_at=AT,
        line_no=line_no,
        quantity=quantity,
        reason="changed mind",
        open=0,
        backordered=0,
        allocated=0,
        cancelled=total,
    )


class TestConfirmation:
    def test_may_bring_the_promise(self):
        ORDER.given(UNPROMISED).when(confirm(LATER)).then(OrderConfirmed(occurred_at=AT, promised_date=LATER))

    def test_may_come_without_a_promise(self):
        ORDER.given(UNPROMISED).when(confirm()).then(OrderConfirmed(occurred_at=AT, promised_date=None))

    def test_without_a_date_lets_the_promise_stand(self):
        PLACED_ORDER.when(confirm()).then(OrderConfirmed(occurred_at=AT, promised_date=PROMISE))

    def test_happens_once(self):
        PLACED_ORDER.after(confirm()).when(confirm(LATER)).refused(OrderAlreadyConfirmed)


class TestPromise:
    def test_is_revised_and_the_original_kept(self):
        PLACED_ORDER.when(revise(LATER)).then(revised(LATER, PROMISE))

    def test_keeps_the_first_date_through_every_change(self):
        changed = PLACED_ORDER.after(confirm(LATER), revise(PROMISE), revise(LATER))

        assert (changed.state.promised_date, changed.state.original_promised_date) == (LATER, PROMISE)
        changed.when(revise(LATER)).then(revised(LATER, PROMISE))

    def test_given_on_confirmation_can_be_revised(self):
        ORDER.given(UNPROMISED).after(confirm(LATER)).when(revise(PROMISE)).then(revised(PROMISE, LATER))

    def test_that_was_never_given_is_not_revised(self):
        ORDER.given(UNPROMISED).after(confirm()).when(revise(LATER)).refused(OrderNotPromised)


class TestRequestedDate:
    REVISED = RequestedDateRevised(occurred_at=AT, requested_date=LATER, reason="warehouse closed")

    def test_is_revised(self):
        PLACED_ORDER.when(request(LATER)).then(self.REVISED)

    def test_is_revised_while_the_order_is_held_or_shipped_in_part(self):
        PLACED_ORDER.after(ship((1, 3)), HOLD).when(request(LATER)).then(self.REVISED)

    def test_leaves_the_promise_as_it_was_given(self):
        changed = PLACED_ORDER.after(request(LATER))

        assert (changed.state.promised_date, changed.state.original_promised_date) == (PROMISE, PROMISE)

    def test_of_a_closed_order_is_not_revised(self):
        closed = PLACED_ORDER.after(ship(*EVERYTHING), deliver(*EVERYTHING), CLOSE)

        closed.when(request(LATER)).refused(OrderAlreadyClosed)


class TestHold:
    def test_is_recorded_with_its_reason(self):
        PLACED_ORDER.when(HOLD).then(OrderHeld(occurred_at=AT, reason="credit check"))

    @pytest.mark.parametrize("command", [allocate((1, 1)), ship((1, 1))])
    def test_stops_allocating_and_shipping(self, command):
        PLACED_ORDER.after(HOLD).when(command).refused(OrderOnHold)

    @pytest.mark.parametrize("command", [allocate((1, 1)), ship((1, 1))])
    def test_that_ended_stops_nothing(self, command):
        held_and_released = PLACED_ORDER.after(HOLD, RELEASE)

        assert held_and_released.when(command).events() == PLACED_ORDER.when(command).events()

    def test_lets_units_under_way_arrive(self):
        held = PLACED_ORDER.after(ship((1, 3)), HOLD)

        assert held.after(deliver((1, 3))).state.lines[1].delivered == 3

    def test_is_not_put_twice(self):
        PLACED_ORDER.after(HOLD).when(HOLD).refused(OrderAlreadyHeld)

    def test_ends(self):
        PLACED_ORDER.after(HOLD).when(RELEASE).then(OrderReleased(occurred_at=AT))

    def test_that_was_not_put_does_not_end(self):
        PLACED_ORDER.when(RELEASE).refused(OrderNotHeld)
        PLACED_ORDER.after(HOLD, RELEASE).when(RELEASE).refused(OrderNotHeld)


class TestCancellation:
    def test_cancels_each_line_then_the_order(self):
        PLACED_ORDER.after(allocate((1, 6)), backorder((1, 3))).when(CANCEL).then(
            cancelled(1, 10, 10),
            cancelled(2, 4, 4),
            OrderCancelled(occurred_at=AT, reason="changed mind"),
        )

    def test_passes_over_lines_without_remaining_units(self):
        PLACED_ORDER.after(cancel_lines((1, 3), (2, 4))).when(CANCEL).then(
            cancelled(1, 7, 10),
            OrderCancelled(occurred_at=AT, reason="changed mind"),
        )

    def test_is_refused_once_anything_was_shipped(self):
        PLACED_ORDER.after(ship((2, 1))).when(CANCEL).refused(OrderAlreadyShipped)

    def test_is_refused_once_anything_was_delivered(self):
        PLACED_ORDER.after(ship((1, 1), (2, 2)), deliver((2, 1))).when(CANCEL).refused(OrderAlreadyDelivered)

    @pytest.mark.parametrize("command", [*OTHERWISE_LEGAL, return_lines((1, 1))])
    def test_is_the_end(self, command):
        PLACED_ORDER.after(CANCEL).when(command).refused(OrderAlreadyCancelled)

    def test_does_not_free_the_order_number(self):
        PLACED_ORDER.after(CANCEL).when(PLACE).refused(OrderAlreadyPlaced)


class TestClosing:
    DELIVERED = PLACED_ORDER.after(ship(*EVERYTHING), deliver(*EVERYTHING))

    def test_ends_a_delivered_order(self):
        self.DELIVERED.when(CLOSE).then(OrderClosed(occurred_at=AT))

    def test_ends_an_order_whose_remaining_units_were_cancelled(self):
        PLACED_ORDER.after(ship((1, 1)), deliver((1, 1)), cancel_lines((1, 9), (2, 4))).when(CLOSE).then(
            OrderClosed(occurred_at=AT)
        )

    @pytest.mark.parametrize(
        "last",
        [(), (backorder((2, 1)),), (allocate((2, 1)),), (ship((2, 1)),)],
        ids=["open", "back-ordered", "allocated", "under way"],
    )
    def test_waits_for_the_last_unit(self, last):
        all_but_one = PLACED_ORDER.after(ship((1, 10), (2, 3)), deliver((1, 10), (2, 3)))

        all_but_one.after(*last).when(CLOSE).refused(OrderUnfinished, "line 2")

    @pytest.mark.parametrize("command", OTHERWISE_LEGAL)
    def test_leaves_nothing_but_returns(self, command):
        self.DELIVERED.after(CLOSE).when(command).refused(OrderAlreadyClosed)

    def test_leaves_returns(self):
        self.DELIVERED.after(CLOSE).when(return_lines((1, 2))).then(
            OrderLineReturned(occurred_at=AT, line_no=1, quantity=2, reason="wrong size", returned=2)
        )

    def test_does_not_free_the_order_number(self):
        self.DELIVERED.after(CLOSE).when(PLACE).refused(OrderAlreadyPlaced)
