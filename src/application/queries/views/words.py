"""Figures as people read them: one way to write money, shares, days and counts, everywhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from application.ports.analytics import Figure, Member, Period
from application.queries.definitions import Kpi
from application.queries.figures import Change
from domain.shared.measures import round_money

NONE = "–"
_MILLION = 1_000_000
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def in_words(kpi: Kpi, figure: Figure) -> str:
    """Return a figure: money in cents, shares as percentages, a dash where there is none."""
    if figure is None:
        return NONE
    if kpi.unit == "money":
        return f"{round_money(Decimal(figure)):,.2f}"
    if kpi.unit == "ratio":
        return f"{figure * 100:.1f}%"
    if kpi.unit in {"days", "hours", "km"}:
        return f"{figure:,.1f} {kpi.unit}"
    if kpi.unit == "a year":
        return f"{figure:,.2f} a year"
    return f"{figure:,}"


def in_short(kpi: Kpi, figure: Figure) -> str:
    """Return a figure as it fits on a tile: money from a million on without cents."""
    if kpi.unit == "money" and figure is not None and abs(Decimal(figure)) >= _MILLION:
        return f"{round(Decimal(figure)):,}"
    return in_words(kpi, figure)


def change_in_words(kpi: Kpi, change: Change) -> str | None:
    """Return the change against the period before: percent of it, of a share percentage points; None: not known."""
    if kpi.unit == "ratio":
        return None if change.difference is None else f"{change.difference * 100:+.1f} points"
    return None if change.ratio is None else f"{change.ratio * 100:+.1f}%"


def is_better(kpi: Kpi, change: Change) -> bool | None:
    """Tell whether a change is for the better; None where it is neither, too small to be seen, or nobody can say."""
    part = change.difference if kpi.unit == "ratio" else change.ratio
    if not change.difference or kpi.direction == "none" or (part is not None and not round(part * 100, 1)):
        return None
    return (change.difference > 0) == (kpi.direction == "up")


def age(since: timedelta) -> str:
    """Return how long ago something was: `just now`, `40 s ago`, `5 min ago`, `3 h ago`, `2 days ago`."""
    seconds = int(since.total_seconds())
    if seconds < 2:
        return "just now"
    for size, unit in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "days"):
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def at(moment: datetime | None) -> str:
    """Return a time of the calendar, in UTC to the minute."""
    return NONE if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def on(day_key: int | None) -> date | None:
    """Return the day that a date key (20260228) stands for."""
    return None if day_key is None else datetime.strptime(f"{day_key}", "%Y%m%d").date()  # noqa: DTZ007 - a day


def days_in_words(days: Period) -> str:
    """Return a period as words: `from 2026-02-01 to 2026-02-28`, of one day `of 2026-02-28`."""
    return f"of {days.first}" if days.first == days.last else f"from {days.first} to {days.last}"


def label(member: Member) -> str:
    """Return what a member is called."""
    return member.label or "unknown"


def status_in_words(status: str) -> str:
    """Return a status or kind as words: `in_transit` is `In transit`."""
    return status.replace("_", " ").capitalize()
