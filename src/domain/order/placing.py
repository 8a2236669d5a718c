"""The rules of placing an order, and of ordering more with it later."""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter

from domain.order.commands import AddOrderLines, IncreaseOrderLines, OrderedLine, PlaceOrder
from domain.order.errors import (
    DuplicateOrderLine,
    InvalidCurrency,
    InvalidDiscount,
    InvalidLineNumber,
    NoOrderLines,
)
from domain.order.events import IncreasedLine, OrderEvent, OrderLinesAdded, OrderLinesIncreased, OrderPlaced
from domain.order.lines import named_lines
from domain.order.state import Order
from domain.shared.measures import MAX_LINE_NO, require_amount, require_quantity

_NUMBER = attrgetter("line_no")
DISCOUNT_PLACES = 9
"""Enough that an amount after discount is exact to cents, where a source gives the amount and not the share."""


def place(command: PlaceOrder) -> OrderPlaced:
    """Return the placed order, or raise the refusal of the first rule that it breaks."""
    require_currency(command.currency)
    require_amount(command.freight)
    lines = _lines_by_number(command, set())
    return OrderPlaced(
        occurred_at=command.occurred_at,
        order_id=command.order_id,
        customer_id=command.customer_id,
        currency=command.currency,
        lines=lines,
        freight=command.freight,
        requested_date=command.requested_date,
        promised_date=command.promised_date,
        carrier_id=command.carrier_id,
        ship_to_city=command.ship_to_city,
        ship_to_country=command.ship_to_country,
    )


def add_lines(order: Order, command: AddOrderLines) -> tuple[OrderEvent, ...]:
    """Return the event of further lines, or raise the refusal of the first rule that they break."""
    lines = _lines_by_number(command, set(order.lines))
    return (OrderLinesAdded(occurred_at=command.occurred_at, lines=lines),)


def increase_lines(order: Order, command: IncreaseOrderLines) -> tuple[OrderEvent, ...]:
    """Return the event of more units for lines, or raise: all lines or none."""
    lines = []
    for line, quantity in named_lines(order, command.lines):
        ordered = line.ordered + quantity
        require_quantity(ordered)
        lines.append(IncreasedLine(line_no=line.line_no, quantity=quantity, ordered=ordered, open=line.open + quantity))
    return (OrderLinesIncreased(occurred_at=command.occurred_at, lines=tuple(lines)),)


def _lines_by_number(command: PlaceOrder | AddOrderLines, known: set[int]) -> tuple[OrderedLine, ...]:
    """Return the lines in the order of their numbers, in which freight is split over them."""
    if not command.lines:
        raise NoOrderLines(f"(order {command.order_id})")
    for line in command.lines:
        _require_line(line)
        if line.line_no in known:
            raise DuplicateOrderLine(f"(order {command.order_id}, line {line.line_no})")
        known.add(line.line_no)
    return tuple(sorted(command.lines, key=_NUMBER))


def _require_line(line: OrderedLine) -> None:
    if not 1 <= line.line_no <= MAX_LINE_NO:
        raise InvalidLineNumber(f"(got {line.line_no})")
    require_quantity(line.quantity)
    require_amount(line.unit_price)
    _require_discount(line.discount)


def _require_discount(discount: Decimal) -> None:
    exponent = discount.as_tuple().exponent
    if not isinstance(exponent, int) or not -DISCOUNT_PLACES <= exponent <= 0 or not 0 <= discount <= 1:
        raise InvalidDiscount(f"(got {discount})")


def require_currency(currency: str) -> None:
    """Raise InvalidCurrency unless it is three upper-case letters."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise InvalidCurrency(f"(got {currency!r})")
