"""An order gets further lines, and lines more units, as long as it is open."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.order.errors import (
    DuplicateOrderLine,
    InvalidDiscount,
    InvalidLineNumber,
    NoOrderLines,
    OrderNotPlaced,
    OrderOnHold,
)
from domain.order.events import IncreasedLine, OrderLinesAdded, OrderLinesIncreased
from domain.shared.measures import MAX_QUANTITY
from domain.shared.refusal import InvalidAmount, InvalidQuantity
from tests.unit.domain.order.samples import (
    AT,
    HOLD,
    ORDER,
    PLACED,
    add,
    allocate,
    backorder,
    cancel_lines,
    deliver,
    increase,
    ordered,
    ship,
)

PLACED_ORDER = ORDER.given(PLACED)


def increased(*lines: tuple[int, int, int, int]) -> OrderLinesIncreased:
    names = ("line_no", "quantity", "ordered", "open")
    made = (IncreasedLine(**dict(zip(names, line, strict=True))) for line in lines)
    return OrderLinesIncreased(occurred_at=AT, lines=tuple(made))


def figures(scenario, line_no: int) -> tuple[int, ...]:
    line = scenario.state.lines[line_no]
    return line.ordered, line.open, line.backordered, line.allocated, line.shipped, line.cancelled


def test_lines_that_are_added_are_open_beside_those_of_the_order():
    PLACED_ORDER.when(add((3, 7), (9, 1))).then(OrderLinesAdded(occurred_at=AT, lines=(ordered(3, 7), ordered(9, 1))))
    order = PLACED_ORDER.after(ship((1, 4)), add((3, 7)))
    assert figures(order, 3) == (7, 7, 0, 0, 0, 0)
    assert figures(order, 1) == (10, 6, 0, 0, 4, 0)


def test_lines_that_are_added_are_recorded_by_their_numbers():
    PLACED_ORDER.when(add((9, 1), (3, 7))).then(OrderLinesAdded(occurred_at=AT, lines=(ordered(3, 7), ordered(9, 1))))


def test_a_line_that_was_added_is_one_like_the_others():
    order = PLACED_ORDER.after(add((3, 7)), allocate((3, 5)), ship((3, 4)), cancel_lines((3, 1)))
    assert figures(order, 3) == (7, 1, 0, 1, 4, 1)


def test_more_units_are_open_whatever_became_of_the_others():
    served = PLACED_ORDER.after(allocate((1, 3)), backorder((1, 2)), ship((1, 2)), cancel_lines((1, 1)))
    served.when(increase((1, 5), (2, 1))).then(increased((1, 5, 15, 9), (2, 1, 5, 5)))
    assert figures(served.after(increase((1, 5))), 1) == (15, 9, 2, 1, 2, 1)


@pytest.mark.parametrize(
    "before",
    [(), (HOLD,), (ship((1, 10), (2, 4)), deliver((1, 10), (2, 4))), (cancel_lines((1, 10), (2, 4)),)],
    ids=["as placed", "held", "delivered", "its lines cancelled"],
)
def test_an_open_order_takes_more_whatever_became_of_it(before):
    order = PLACED_ORDER.after(*before, add((3, 1)), increase((1, 1)))
    assert figures(order, 3)[:2] == (1, 1)
    assert figures(order, 1)[:2] == (11, 11 if before in ((), (HOLD,)) else 1)


def test_more_units_of_a_held_order_are_not_allocated_either():
    PLACED_ORDER.after(HOLD, add((3, 1))).when(allocate((3, 1))).refused(OrderOnHold)


def test_a_line_number_that_the_order_has_is_not_added_again():
    PLACED_ORDER.when(add((3, 1), (2, 4))).refused(DuplicateOrderLine, "order SO-1, line 2")
    PLACED_ORDER.when(add((3, 1), (3, 1))).refused(DuplicateOrderLine, "line 3")
    PLACED_ORDER.after(cancel_lines((2, 4))).when(add((2, 4))).refused(DuplicateOrderLine, "line 2")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"line_no": 0}, InvalidLineNumber),
        ({"quantity": 0}, InvalidQuantity),
        ({"unit_price": Decimal(-1)}, InvalidAmount),
        ({"discount": Decimal("1.1")}, InvalidDiscount),
    ],
)
def test_lines_that_are_added_are_held_to_the_rules_of_placing(changes, refusal):
    command = replace(add((3, 1)), lines=(replace(ordered(3, 1), **changes),))
    PLACED_ORDER.when(command).refused(refusal)


def test_at_least_one_line_is_added():
    PLACED_ORDER.when(add()).refused(NoOrderLines, "order SO-1")


def test_a_line_takes_no_more_units_than_one_may_have():
    PLACED_ORDER.when(increase((1, MAX_QUANTITY - 9))).refused(InvalidQuantity)


@pytest.mark.parametrize("command", [add((3, 1)), increase((1, 1))])
def test_only_an_order_that_was_placed_takes_more(command):
    ORDER.when(command).refused(OrderNotPlaced)
