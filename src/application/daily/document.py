"""The report of a day as data: all that its pages show, and nothing that depends on when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import msgspec

from application.ports.analytics import Figure

TEXT = ""
"""The unit of what is no figure."""
SHARE = "change"
"""The unit of a change as a share of what it was before."""
POINTS = "points"
"""The unit of a change of a ratio."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its unit: a figure exactly, as digits, or a text; `better` says whether a change is good."""

    value: str | None
    unit: str = TEXT
    better: bool | None = None

    @property
    def number(self) -> Decimal | None:
        """Return the figure, None where there is none."""
        return None if self.value is None or self.unit == TEXT else Decimal(self.value)


@dataclass(frozen=True, slots=True)
class Section:
    """A table: a heading for each column, and rows of as many cells; `note` says what to read into it."""

    name: str
    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure by day, None where there is none."""

    name: str
    title: str
    unit: str
    points: tuple[tuple[date, str | None], ...]


@dataclass(frozen=True, slots=True)
class DailyReport:
    """The report of a day, true up to `position`, which was fixed at `fixed_at`.

    `day_figures` has the figures that a later report compares with what they have become.
    """

    day: date
    position: int
    fixed_at: datetime
    policy: str
    sections: tuple[Section, ...]
    charts: tuple[Chart, ...]
    day_figures: Mapping[str, str | None]

    def section(self, name: str) -> Section:
        """Return a section by its name."""
        return next(section for section in self.sections if section.name == name)


def text(value: object) -> Cell:
    """Return a text as a cell."""
    return Cell(None if value is None else str(value))


def figure(value: Figure, unit: str) -> Cell:
    """Return a figure as a cell."""
    return Cell(plain(value), unit)


def plain(value: Figure) -> str | None:
    """Return all digits of a figure."""
    return None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def table(name: str, title: str, note: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Section:
    """Return a section."""
    return Section(name, title, note, tuple(head), tuple(tuple(row) for row in rows))


def encode(report: DailyReport) -> bytes:
    """Return a report as it is kept: equal reports give equal bytes."""
    return msgspec.json.encode(report, order="deterministic")


def decode(document: bytes) -> DailyReport:
    """Return a report as it was kept."""
    return msgspec.json.decode(document, type=DailyReport)
