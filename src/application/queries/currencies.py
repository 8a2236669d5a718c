"""Which currencies sums of money add up: amounts of several are the amount of none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from application.ports.analytics import Analytics, Filter, Measured, Period, Selection
from application.queries.definitions import ORDER_LINES, ORDERS, STOCK_DAILY, STOCK_MOVEMENTS, Dimension, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.expressions import rows

UNSTATED = "unstated currency"
"""What stands for the currency of amounts for which nobody said it."""
_CURRENCY = DIMENSIONS["currency"]
_MONEY_OF = {
    ORDERS.name: "orders",
    ORDER_LINES.name: "orders",
    STOCK_DAILY.name: "stock",
    STOCK_MOVEMENTS.name: "receipts",
}
_ADDED_UP = re.compile(r"\bsum\(([^()]*\bf\.(?:gross|net|freight|stock_value|unit_value|unit_cost)\b[^()]*)\)")
"""A sum of money: also a quotient of two of them means nothing where they are of several currencies."""
_Rows = Mapping[str, frozenset[str | None]]
"""By currency, the members with rows that have money in it."""


class Currencies(NamedTuple):
    """The currencies that a KPI's figures add up: now, and in the period before where they are compared with it.

    Where they are several, `apart` says that each figure, and what it is compared with, is of one of them.
    """

    now: tuple[str, ...]
    before: tuple[str, ...] = ()
    apart: bool = False

    @property
    def all(self) -> tuple[str, ...]:
        """Return the currencies of both periods, in order."""
        return tuple(sorted({*self.now, *self.before}))


def addends(kpi: Kpi) -> tuple[str, ...]:
    """Return the amounts of a row, as SQL, that a KPI adds up; none: it is not made of money."""
    return tuple(dict.fromkeys(_ADDED_UP.findall(kpi.expression)))


def currencies(
    analytics: Analytics, kpis: Iterable[Kpi], by: Dimension | None, where: Selection, before: Period | None = None
) -> dict[str, Currencies]:
    """Return the currencies of each KPI that is made of money, by its name; nothing by currency.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    money = [replace(kpi, expression=rows(_has_money(kpi))) for kpi in kpis if addends(kpi)]
    if by == _CURRENCY or not money:
        return {}
    times = [where] if before is None else [where, where._replace(period=before)]
    found = [_of_all(analytics, money, by, each) for each in times]
    if by is not None and any(len(_together(found, kpi)) > 1 for kpi in money):
        keys = sorted({key for kpi in money for key in _together(found, kpi)})
        found = [_by_member(analytics, money, by, each, keys) for each in times]
    return {kpi.name: _currencies(by, *(each[kpi.name] for each in found)) for kpi in money}


def mixtures(kpis: Iterable[Kpi], found: Mapping[str, Currencies]) -> list[str]:
    """Return a sentence for each kind of money that is of several currencies."""
    mixed: dict[str, list[Currencies]] = {}
    for kpi in kpis:
        if kpi.name in found and len(found[kpi.name].all) > 1:
            mixed.setdefault(_MONEY_OF[kpi.fact.name], []).append(found[kpi.name])
    return [f"money of {what} {_mixture(several)}; `--by currency` tells them apart" for what, several in mixed.items()]


def _mixture(several: Sequence[Currencies]) -> str:
    now = {each for of_kpi in several for each in of_kpi.now}
    before = {each for of_kpi in several for each in of_kpi.before}
    if all(each.apart for each in several):
        return f"is of one currency in each row, {' or '.join(sorted(now | before))}"
    then = "" if before <= now else f"in the period before {' + '.join(sorted(before))}"
    return f"adds up {', '.join(filter(None, [' + '.join(sorted(now)), then]))}"


def titled(kpi: Kpi, names: Iterable[str]) -> str:
    """Return a KPI's title with the currencies that it adds up, so that a mixture is seen as one."""
    return f"{kpi.title} {' + '.join(names)}".rstrip()


def _has_money(kpi: Kpi) -> str:
    return " OR ".join(f"{amount} <> 0" for amount in addends(kpi))


def _of_all(analytics: Analytics, money: Sequence[Kpi], by: Dimension | None, where: Selection) -> dict[str, _Rows]:
    """Return the currencies of all members together; of levels over time, those of each day."""
    if by is not None and by.time:
        money = [replace(kpi, fact=replace(kpi.fact, snapshot=False)) for kpi in money]
    measured = analytics.measure(money, _CURRENCY, where)
    whole = frozenset([None])
    return {kpi.name: {row.member.key or UNSTATED: whole for row in measured if row.figures[kpi.name]} for kpi in money}


def _by_member(
    analytics: Analytics, money: Sequence[Kpi], by: Dimension, where: Selection, keys: Sequence[str]
) -> dict[str, _Rows]:
    others = tuple(each for each in where.filters if each.dimension != _CURRENCY)
    measured = {}
    for key in keys:
        only = Filter(_CURRENCY, (None if key == UNSTATED else key,))
        measured[key] = analytics.measure(money, by, where._replace(filters=(*others, only)))
    return {kpi.name: _having_members(measured, kpi.name) for kpi in money}


def _having_members(by_currency: Mapping[str, Sequence[Measured]], counted: str) -> _Rows:
    having = {
        key: frozenset(row.member.key for row in measured if row.figures[counted])
        for key, measured in by_currency.items()
    }
    return {key: members for key, members in having.items() if members}


def _together(found: Sequence[Mapping[str, _Rows]], kpi: Kpi) -> set[str]:
    return {key for each in found for key in each[kpi.name]}


def _currencies(by: Dimension | None, now: _Rows, before: _Rows | None = None) -> Currencies:
    then = before or {}
    several = {*now, *then}
    of_each = [now.get(key, frozenset()) | then.get(key, frozenset()) for key in several]
    apart = by is not None and len(several) > 1 and len(frozenset().union(*of_each)) == sum(map(len, of_each))
    return Currencies(tuple(sorted(now)), tuple(sorted(then)), apart)
