"""The kinds of aggregates that KPIs are made of, as SQL over a fact `f`."""

from __future__ import annotations

HOUR = 3_600
DAY = 86_400


def rows(condition: str) -> str:
    """Count the rows that meet the condition."""
    return f"count(*) FILTER (WHERE {condition})"


def units(column: str, condition: str = "true") -> str:
    """Add up units of the rows that meet the condition; 0 where there are none."""
    return f"coalesce(sum({column}) FILTER (WHERE {condition}), 0)::bigint"


def share(part: str, whole: str) -> str:
    """Divide, to 6 decimal places; null where the whole is 0."""
    return f"round(({part})::numeric / nullif({whole}, 0), 6)"


def share_of_rows(part: str, whole: str) -> str:
    """Divide the number of rows of the whole that are part by the number of all of them."""
    return share(rows(f"({whole}) AND ({part})"), rows(whole))


def average(column: str, condition: str = "true") -> str:
    """Average a number over the rows that meet the condition, to 4 decimal places."""
    return f"round((avg({column}) FILTER (WHERE {condition}))::numeric, 4)"


def percentile(fraction: float, column: str, condition: str = "true", *, per: int = 1) -> str:
    """Interpolate a percentile of a number over the rows that meet the condition, to 4 decimal places.

    `per` is what the one number is divided by, and not each of those that are sorted.
    """
    within = f"percentile_cont({fraction}) WITHIN GROUP (ORDER BY {column})"
    return f"round(({within} FILTER (WHERE {condition}) / {per})::numeric, 4)"


def seconds(start: str, end: str) -> str:
    """Return the seconds between two times, with their fraction."""
    return f"date_part('epoch', {end} - {start})"


def days(start: str, end: str) -> str:
    """Return the days between two times, with their fraction."""
    return f"({seconds(start, end)} / {DAY})"
