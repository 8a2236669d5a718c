"""Quantities, money and coordinates: their limits, and the one rounding rule."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from domain.shared.refusal import InvalidAmount, InvalidCoordinates, InvalidQuantity

MAX_QUANTITY = 1_000_000_000
MAX_LINE_NO = 1_000_000
MAX_AMOUNT = Decimal(1_000_000_000_000)
MAX_PLACES = 6
ZERO = Decimal(0)
CENT = Decimal("0.01")


def round_money(amount: Decimal) -> Decimal:
    """Round an amount to cents, halves away from zero (commercial rounding, DIN 1333).

    Amounts are stored unrounded; this rule applies once, where a figure is shown or split.
    """
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def require_quantity(quantity: int, *, zero: bool = False) -> None:
    """Raise InvalidQuantity unless 1 (or 0, with `zero`) <= quantity <= 1,000,000,000 units."""
    if not (0 if zero else 1) <= quantity <= MAX_QUANTITY:
        raise InvalidQuantity(f"(got {quantity})")


def require_amount(amount: Decimal | None) -> None:
    """Raise InvalidAmount unless the amount is None, or finite, not negative, and within the limits."""
    if amount is None:
        return
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or not ZERO <= amount < MAX_AMOUNT or not -MAX_PLACES <= exponent <= MAX_PLACES:
        raise InvalidAmount(f"(got {amount})")


def require_coordinates(latitude: float | None, longitude: float | None) -> None:
    """Raise InvalidCoordinates unless both are None or both are degrees within their range."""
    if latitude is None and longitude is None:
        return
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise InvalidCoordinates(f"(got {latitude}, {longitude})")
