"""The rules of placing an order."""

from __future__ import annotations

from decimal import Decimal

from domain.order.commands import OrderedLine, PlaceOrder
from domain.order.errors import (
    DuplicateOrderLine,
    InvalidCurrency,
    InvalidDiscount,
    InvalidLineNumber,
    NoOrderLines,
)
from domain.order.events import OrderPlaced
from domain.shared.measures import MAX_LINE_NO, require_amount, require_quantity

DISCOUNT_PLACES = 9
"""Enough that an amount after discount is exact to cents, where a source gives the amount and not the share."""


def place(command: PlaceOrder) -> OrderPlaced:
    """Return the placed order, or raise the refusal of the first rule that it breaks."""
    _require_currency(command.currency)
    require_amount(command.freight)
    if not command.lines:
        raise NoOrderLines(f"(order {command.order_id})")
    seen: set[int] = set()
    for line in command.lines:
        _require_line(line)
        if line.line_no in seen:
            raise DuplicateOrderLine(f"(line {line.line_no})")
        seen.add(line.line_no)
    return OrderPlaced(
        occurred_at=command.occurred_at,
        order_id=command.order_id,
        customer_id=command.customer_id,
        currency=command.currency,
        lines=command.lines,
        freight=command.freight,
        requested_date=command.requested_date,
        promised_date=command.promised_date,
        carrier_id=command.carrier_id,
        ship_to_city=command.ship_to_city,
        ship_to_country=command.ship_to_country,
    )


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


def _require_currency(currency: str) -> None:
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise InvalidCurrency(f"(got {currency!r})")
