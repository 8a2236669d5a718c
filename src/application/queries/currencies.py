"""Which currencies sums of money add up: amounts of several are the amount of none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from application.ports.analytics import Analytics, Figure, Member, Selection
from application.queries.definitions import ORDER_LINES, ORDERS, STOCK_DAILY, STOCK_MOVEMENTS, Dimension, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.expressions import rows
from application.queries.kpis import KPIS

_CURRENCY = DIMENSIONS["currency"]
_MONEY_OF = {
    ORDERS.name: ("orders", "orders"),
    ORDER_LINES.name: ("orders", "orders"),
    STOCK_DAILY.name: ("stock", "stock_value"),
    STOCK_MOVEMENTS.name: ("receipts", "spend"),
}
"""What the money of a fact is of, and the KPI whose rows have it."""
_AMOUNT = re.compile(r"\bf\.(?:gross|net|freight|stock_value|unit_value|unit_cost)\b")
"""A column of money: also a quotient of two sums of it means nothing where they are of several currencies."""


def money_of(kpi: Kpi) -> str | None:
    """Return what the money is of that a KPI adds up; None: it is no sum of money."""
    return _MONEY_OF[kpi.fact.name][0] if kpi.unit == "money" else None


def currencies(
    analytics: Analytics, kpis: Iterable[Kpi], by: Dimension | None, where: Selection
) -> dict[str, tuple[str, ...]]:
    """Return the currencies that sums of money of the KPIs add up, by what the money is of; nothing by currency.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    if by == _CURRENCY:
        return {}
    money = dict.fromkeys(_MONEY_OF[kpi.fact.name] for kpi in kpis if _AMOUNT.search(kpi.expression))
    found = {}
    for what, name in money:
        having = KPIS[name]
        counted = replace(having, expression=rows(having.counted))
        measured = analytics.measure([counted], _CURRENCY, where)
        found[what] = having_any(dict(measured), name)
    return found


def having_any(by_currency: Mapping[Member, Mapping[str, Figure]], counted: str) -> tuple[str, ...]:
    """Return the currencies for which the KPI `counted` is not 0, in order."""
    return tuple(sorted(member.key or "unknown" for member, figures in by_currency.items() if figures[counted]))
