"""Where the data lie, for a page whose chosen days have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from application.ports.analytics import Period, Selection
from application.ports.listings import Star
from application.queries.definitions import (
    ORDER_LINES,
    ORDERS,
    SHIPMENTS,
    STOCK_DAYS,
    STOCK_MOVEMENTS,
    UNSHIPPED_ORDERS,
    Fact,
    Kpi,
)
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.explaining import OVERDUE_ORDERS
from application.queries.views.words import on

SHOWN: Mapping[str, tuple[Fact, ...]] = {
    "overview": (ORDERS, SHIPMENTS),
    "orders": (ORDERS,),
    "shipments": (SHIPMENTS,),
    "inventory": (STOCK_DAYS,),
    "suppliers": (STOCK_MOVEMENTS, ORDER_LINES),
}
"""What each page shows of the chosen days."""
_WHOLE = {fact.name: fact for fact in (ORDERS, ORDER_LINES, SHIPMENTS, STOCK_MOVEMENTS, STOCK_DAYS)}


def facts_of_figure(name: str) -> tuple[Fact, ...]:
    """Return the fact that a figure which can be explained is of; none for a level, which holds until it changes."""
    fact = KPIS[name].fact if name in KPIS else UNSHIPPED_ORDERS if name == OVERDUE_ORDERS else SHIPMENTS
    return () if fact.snapshot else (_WHOLE[fact.name],)


def days_elsewhere(star: Star, facts: Sequence[Fact], choice: Choice) -> Period | None:
    """Return the first and the last day of all rows where the chosen days have none; None where they have, or all do.

    Filters don't count: what they leave out is out on purpose. Both ends of each fact are looked up in its index.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    if choice.period is None or not facts or _ends(star, facts, choice.period) is not None:
        return None
    return _ends(star, facts, None)


def _ends(star: Star, facts: Sequence[Fact], period: Period | None) -> Period | None:
    kpis = [
        Kpi(f"{end} {fact.name}", "", "day", "none", fact, f"{end}(f.{fact.date_key})", "")
        for fact in facts
        for end in ("min", "max")
    ]
    ((_, figures),) = star.measure(kpis, None, Selection(period=period))
    days = [day for key in figures.values() if key is not None and (day := on(int(key)))]
    return Period(min(days), max(days)) if days else None
