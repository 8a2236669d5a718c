"""What figures are called in a report: money with all currencies that it adds up, so that a mixture is seen as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from application.ports.analytics import Analytics, Period
from application.queries.currencies import currencies, titled
from application.queries.definitions import Kpi
from application.queries.figures import selection


def titles(analytics: Analytics, kpis: Sequence[Kpi], periods: Iterable[Period]) -> dict[str, str]:
    """Return the title of each KPI by its name; money has the currencies of all the periods.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    money = [kpi for kpi in kpis if kpi.unit == "money"]
    added_up: dict[str, set[str]] = {kpi.name: set() for kpi in kpis}
    for period in periods if money else ():
        for name, found in currencies(analytics, money, None, selection(None, period)).items():
            added_up[name] |= set(found.now)
    return {kpi.name: titled(kpi, sorted(added_up[kpi.name])) for kpi in kpis}
