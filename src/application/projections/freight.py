"""Exact products of amounts, and an order's freight split over its lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from itertools import accumulate, pairwise

from domain.shared.measures import ZERO, round_money

_EXACT = Context(prec=60)
"""Wide enough for a quantity times a price times a discount, each at its domain limit."""


def exact_product(left: Decimal, right: Decimal) -> Decimal:
    """Return the product of two amounts, unrounded."""
    return _EXACT.multiply(left, right)


def freight_shares(freight: Decimal, nets: Sequence[Decimal]) -> list[Decimal]:
    """Split freight to cents in proportion to the lines' net amounts; the shares add up to it exactly.

    Cumulative rounding: a share is the rounded freight up to and with its line less that before it. Lines
    without any net amount share alike.
    """
    if not freight:
        return [ZERO] * len(nets)
    weights = nets if any(nets) else [Decimal(1)] * len(nets)
    reached = list(accumulate(weights, _EXACT.add))
    bounds = [min(round_money(_portion(freight, part, reached[-1])), freight) for part in reached[:-1]]
    return [upper - lower for lower, upper in pairwise([ZERO, *bounds, freight])]


def _portion(freight: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return _EXACT.divide(_EXACT.multiply(freight, part), whole)
