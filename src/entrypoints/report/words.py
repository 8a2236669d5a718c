"""Figures of the report as people read them."""

from __future__ import annotations

from decimal import Decimal

from application.daily.document import POINTS, SHARE, TEXT, Cell
from domain.shared.measures import round_money

NOTHING = "–"


def shown(cell: Cell) -> str:
    """Return a cell: money in cents, shares as percentages, changes with their sign; a dash where there is none."""
    if cell.value is None:
        return NOTHING
    if cell.unit == TEXT:
        return cell.value
    number = Decimal(cell.value)
    if cell.unit in {SHARE, POINTS}:
        return f"{_signed(number * 100)}{'%' if cell.unit == SHARE else ' pts'}"
    return shown_figure(number, cell.unit)


def shown_figure(number: Decimal, unit: str) -> str:
    """Return a figure in its unit."""
    if unit == "money":
        return f"{round_money(number):,.2f}"
    if unit == "ratio":
        return f"{number * 100:.1f}%"
    return f"{number:,.1f} {unit}" if unit in {"days", "hours"} else f"{number:,}"


def _signed(number: Decimal) -> str:
    """Return a number in tenths; what is less than that has no sign."""
    text = f"{number:+,.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def is_figure(cell: Cell) -> bool:
    """Tell whether a cell belongs to the right."""
    return cell.unit != TEXT
