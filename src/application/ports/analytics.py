"""Figures from the star schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from application.errors import PlatformError
from application.queries.definitions import Dimension, Fact, Kpi

Figure = int | Decimal | None
"""Exact; None where there is nothing to measure, e.g. a rate without a denominator."""


class Filter(NamedTuple):
    """Only facts that belong to one of these members of a dimension; None is the unknown member."""

    dimension: Dimension
    members: tuple[str | None, ...]


class Period(NamedTuple):
    """Only facts of these days, both included."""

    first: date
    last: date


class Selection(NamedTuple):
    """Which facts count: all that pass every filter and lie within the period."""

    filters: tuple[Filter, ...] = ()
    period: Period | None = None


EVERYTHING = Selection()


class Member(NamedTuple):
    """A member of a dimension; key and label are None for facts whose member is not known."""

    key: str | None
    label: str | None


class Measured(NamedTuple):
    """The figures of one member by the KPI's name; without a breakdown, of everything."""

    member: Member
    figures: dict[str, Figure]


class Evidence(NamedTuple):
    """A row behind a figure: its stream, its first and last event, and its columns."""

    stream_id: str
    first_position: int
    last_position: int
    columns: Mapping[str, Any]


class Analytics(Protocol):
    """Measures KPIs as their definitions say; every fact must know every dimension that is used."""

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        """Return the figures, all of one moment: one row for each member in order of keys, or just one row.

        Where a member has no facts for a KPI, its figure is None.

        Raises:
            AnalyticsUnavailableError: the database can't be reached, or holds no read models yet.
        """

    def members(self, dimension: Dimension) -> list[Member]:
        """Return the members that occur in facts, in order of their labels; raises as `measure` does."""

    def evidence(self, kpi: Kpi, where: Selection = EVERYTHING, limit: int = 100) -> list[Evidence]:
        """Return up to `limit` rows that a figure counts, those that changed last first.

        Raises as `measure` does.
        """

    def row(self, fact: Fact, key: Sequence[str]) -> Evidence | None:
        """Return the row of a fact with these values of its key, None where there is none.

        Raises as `measure` does.
        """

    def position(self) -> int:
        """Return the position in the log up to which the figures are true; raises as `measure` does."""

    def moment(self) -> AbstractContextManager[Analytics]:
        """Give analytics all of whose answers are of one moment: that of the call. Raises as `measure` does.

        Ask at once, and show afterwards: while it is open, tables that were rebuilt are not put in place.
        """


class AnalyticsUnavailableError(PlatformError):
    """The star schema can't be read: the database is away, or nothing was projected yet."""
