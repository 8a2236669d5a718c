"""Periods, and the one before."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from application.ports.analytics import Period

_DAY = timedelta(days=1)


def previous(period: Period) -> Period:
    """Return the period that ends on the day before: as many whole months where it is whole months, else days.

    Before the second quarter comes the first, before March February, before a week the week before it.
    """
    first, last = period
    end = first - _DAY
    if first.day == 1 and last.day == monthrange(last.year, last.month)[1]:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        years, month = divmod(first.year * 12 + first.month - 1 - months, 12)
        return Period(date(years, month + 1, 1), end)
    return Period(end - (last - first), end)
