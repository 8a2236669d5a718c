"""A star schema of the tests: it knows its figures by dimension and period, and its lists by their fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from application.ports.analytics import EVERYTHING, Figure, Measured, Member, Period, Selection
from application.queries.definitions import Dimension, Kpi, Listing

Figures = dict[str, Figure]


class Answers:
    """Figures in all, of the period before, by the members of dimensions, and lists of facts.

    Figures by members are the same in the period before where it is not said what they were.
    """

    def __init__(
        self,
        totals: Figures | None = None,
        *,
        period: Period | None = None,
        before: Figures | None = None,
        by: dict[str, dict[str | None, Figures]] | None = None,
        by_before: dict[str, dict[str | None, Figures]] | None = None,
        lists: dict[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        self.totals = totals or {}
        self.period = period
        self.before = before or {}
        self.by = by or {}
        self.by_before = self.by if by_before is None else by_before
        self.lists = lists or {}
        self.asked: list[tuple[str, Selection]] = []

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        self.asked += [(kpi.name, where) for kpi in kpis]
        now = where.period in {None, self.period}
        if by is not None:
            found = (self.by if now else self.by_before).get(by.name, {})
            return [
                Measured(Member(key, key and key.title()), {kpi.name: figures.get(kpi.name) for kpi in kpis})
                for key, figures in found.items()
            ]
        known = self.totals if now else self.before
        return [Measured(Member(None, None), {kpi.name: known.get(kpi.name) for kpi in kpis})]

    def rows(self, listing: Listing, where: Selection = EVERYTHING, limit: int = 200) -> list[dict[str, Any]]:
        self.asked.append((listing.fact.name, where))
        return self.lists.get(listing.fact.name, [])[:limit]

    def position(self) -> int:
        return 40
