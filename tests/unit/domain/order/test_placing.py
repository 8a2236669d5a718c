"""An order is placed once, with valid lines, amounts and currency."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.order.errors import (
    DuplicateOrderLine,
    InvalidCurrency,
    InvalidDiscount,
    InvalidLineNumber,
    NoOrderLines,
    OrderAlreadyPlaced,
    OrderNotPlaced,
)
from domain.shared.measures import MAX_QUANTITY
from domain.shared.refusal import InvalidAmount, InvalidQuantity
from tests.unit.domain.order.samples import (
    CANCEL,
    CLOSE,
    HOLD,
    LATER,
    LINES,
    ORDER,
    PLACE,
    PLACED,
    RELEASE,
    allocate,
    backorder,
    cancel_lines,
    confirm,
    deliver,
    release_allocation,
    return_lines,
    revise,
    ship,
)


def with_line(**changes):
    return replace(PLACE, lines=(LINES[0], replace(LINES[1], **changes)))


def test_placing_records_the_whole_order():
    ORDER.when(PLACE).then(PLACED)


def test_a_placed_order_has_all_units_open():
    order = ORDER.given(PLACED).state

    assert [(line.ordered, line.open, line.remaining) for line in order.lines.values()] == [
        (10, 10, 10),
        (4, 4, 4),
    ]
    assert order.order_id == "SO-1"


def test_lines_are_recorded_by_their_numbers_however_they_were_listed():
    ORDER.when(replace(PLACE, lines=LINES[::-1])).then(PLACED)


def test_an_order_is_placed_once():
    ORDER.given(PLACED).when(PLACE).refused(OrderAlreadyPlaced, "SO-1")


@pytest.mark.parametrize(
    "command",
    [
        confirm(),
        revise(LATER),
        allocate((1, 1)),
        release_allocation((1, 1)),
        backorder((1, 1)),
        ship((1, 1)),
        deliver((1, 1)),
        cancel_lines((1, 1)),
        CANCEL,
        HOLD,
        RELEASE,
        return_lines((1, 1)),
        CLOSE,
    ],
    ids=lambda command: type(command).__name__,
)
def test_nothing_happens_to_an_order_that_was_not_placed(command):
    ORDER.when(command).refused(OrderNotPlaced, "SO-1")


def test_an_order_has_at_least_one_line():
    ORDER.when(replace(PLACE, lines=())).refused(NoOrderLines)


def test_line_numbers_are_unique():
    ORDER.when(with_line(line_no=1)).refused(DuplicateOrderLine, "line 1")


@pytest.mark.parametrize("line_no", [-1, 0, 1_000_001, 10**30])
def test_line_numbers_are_within_limits(line_no):
    ORDER.when(with_line(line_no=line_no)).refused(InvalidLineNumber)


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1])
def test_quantities_are_within_limits(quantity):
    ORDER.when(with_line(quantity=quantity)).refused(InvalidQuantity)


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity", "1000000000000", "0.0000001"])
def test_prices_and_freight_are_valid_amounts(amount):
    ORDER.when(with_line(unit_price=Decimal(amount))).refused(InvalidAmount)
    ORDER.when(replace(PLACE, freight=Decimal(amount))).refused(InvalidAmount)


@pytest.mark.parametrize("discount", ["-0.01", "1.01", "0.0000000001", "0E+999999", "NaN", "sNaN", "Infinity"])
def test_a_discount_is_a_share_with_nine_places(discount):
    ORDER.when(with_line(discount=Decimal(discount))).refused(InvalidDiscount)


@pytest.mark.parametrize("discount", ["0", "0.123456789", "1"])
def test_the_limits_of_a_discount_are_accepted(discount):
    command = with_line(discount=Decimal(discount))

    ORDER.when(command).then(replace(PLACED, lines=command.lines))


@pytest.mark.parametrize("currency", ["", "eur", "EU", "EURO", "E1R", "ÄUR", "E R"])
def test_a_currency_has_three_upper_case_letters(currency):
    ORDER.when(replace(PLACE, currency=currency)).refused(InvalidCurrency)
