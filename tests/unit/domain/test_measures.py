from decimal import Decimal

import pytest

from domain.shared.measures import require_amount, require_coordinates, require_quantity, round_money
from domain.shared.refusal import InvalidAmount, InvalidCoordinates, InvalidQuantity


@pytest.mark.parametrize("amount", ["-0.01", "1000000000000", "0.0000001", "NaN", "Infinity", "0E+999999"])
def test_an_amount_that_a_ledger_can_t_hold_is_refused(amount: str) -> None:
    with pytest.raises(InvalidAmount):
        require_amount(Decimal(amount))


@pytest.mark.parametrize("amount", ["0", "999999999999.999999", "1E+3"])
def test_an_amount_within_the_limits_is_taken(amount: str) -> None:
    require_amount(Decimal(amount))
    require_amount(None)
    assert Decimal(amount) >= 0


@pytest.mark.parametrize(("quantity", "zero"), [(0, False), (-1, True), (1_000_000_001, True), (10**30, False)])
def test_a_quantity_outside_its_limits_is_refused(quantity: int, zero: bool) -> None:
    with pytest.raises(InvalidQuantity):
        require_quantity(quantity, zero=zero)


@pytest.mark.parametrize("place", [(90.1, 0.0), (0.0, -180.5), (float("nan"), 0.0), (None, 1.0), (1.0, None)])
def test_coordinates_off_the_globe_are_refused(place: tuple[float | None, float | None]) -> None:
    with pytest.raises(InvalidCoordinates):
        require_coordinates(*place)


@pytest.mark.parametrize("place", [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.0), (None, None)])
def test_poles_and_the_date_line_are_on_the_globe(place: tuple[float | None, float | None]) -> None:
    require_coordinates(*place)


@pytest.mark.parametrize(("exact", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("1265793.0395", "1265793.04")])
def test_money_is_rounded_half_away_from_zero(exact: str, rounded: str) -> None:
    assert round_money(Decimal(exact)) == Decimal(rounded)
