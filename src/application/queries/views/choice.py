"""What a reader chose to look at: days, members of dimensions, the policy, and the moment that counts as now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from application.ports.analytics import Filter, Member, Period, Selection
from application.ports.listings import Star
from application.queries.definitions import Dimension, Fact, Source
from application.queries.dimensions import DIMENSIONS
from application.queries.policies import DEFAULT, Policy

FILTERS = ("category", "supplier", "country", "location", "carrier")
"""The dimensions that all pages are filtered on."""
_WEEKLY_FROM_DAYS = 60


class Span(NamedTuple):
    """How far back a page looks; all there is without `days`."""

    days: int | None

    def period(self, today: date) -> Period | None:
        """Return the days that end with `today`."""
        return None if self.days is None else Period(today - timedelta(days=self.days - 1), today)


SPANS: dict[str, Span] = {
    "Last 7 days": Span(7),
    "Last 30 days": Span(30),
    "Last 90 days": Span(90),
    "All": Span(None),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is looked at; `now` has a UTC offset, and `members` none of a dimension that is not filtered on."""

    now: datetime
    period: Period | None = None
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policy: Policy = DEFAULT

    @property
    def step(self) -> Literal["day", "week"]:
        """Return the steps of charts over time: weeks where there are many days."""
        days = self.period and (self.period.last - self.period.first).days
        return "day" if days is not None and days < _WEEKLY_FROM_DAYS else "week"

    def where(self, fact: Fact, period: Period | None = None) -> Selection:
        """Return the selection of a fact, by those filters that it knows, within a period if one is given."""
        return Selection(tuple(Filter(DIMENSIONS[name], self.members[name]) for name in self.known(fact)), period)

    def known(self, fact: Fact) -> list[str]:
        """Return the chosen filters that a fact knows."""
        return [name for name in self.members if fact.name in DIMENSIONS[name].sources]

    def unknown(self, facts: Iterable[Fact]) -> list[str]:
        """Return the titles of the chosen filters that none of these facts knows."""
        known = {name for fact in facts for name in self.known(fact)}
        return [DIMENSIONS[name].title for name in self.members if name not in known]


_CURRENT = "(SELECT c.name FROM dim_{0} c WHERE c.{0}_id = f.{0}_id AND c.is_current)"
# Where the members of each filter are listed, so that nobody has to look through all facts for them.
_LISTED = {
    name: Dimension(name, DIMENSIONS[name].title, {table: Source(*source)})
    for name, table, source in (
        ("category", "dim_product", ("f.category", "f.category")),
        ("supplier", "dim_supplier", ("f.supplier_id", _CURRENT.format("supplier"))),
        ("country", "fact_order", ("f.country", "f.country")),
        ("location", "dim_location", ("f.location_id", _CURRENT.format("location"))),
        ("carrier", "dim_carrier", ("f.carrier_id", _CURRENT.format("carrier"))),
    )
}


def options(star: Star) -> dict[str, list[Member]]:
    """Return the members that each filter offers, by the filter's name, in order of their labels.

    Raises:
        AnalyticsUnavailableError: there is nothing to read from.
    """
    return {name: [each for each in star.members(_LISTED[name]) if each.key] for name in FILTERS}
