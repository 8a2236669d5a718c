"""The kinds of aggregates that KPIs are made of, as SQL over a fact `f`."""

from __future__ import annotations


def orders(condition: str) -> str:
    """Count the orders with a line that meets the condition."""
    return f"count(DISTINCT f.order_id) FILTER (WHERE {condition})"


def units(column: str, condition: str = "true") -> str:
    """Add up units of the rows that meet the condition; 0 where there are none."""
    return f"coalesce(sum({column}) FILTER (WHERE {condition}), 0)::bigint"


def share(part: str, whole: str) -> str:
    """Divide, to 6 decimal places; null where the whole is 0."""
    return f"round(({part})::numeric / nullif({whole}, 0), 6)"


def days(start: str, end: str, condition: str) -> str:
    """Average the days between two times over the rows that meet the condition."""
    return f"round(avg(extract(epoch FROM {end} - {start}) / 86400) FILTER (WHERE {condition}), 4)"
