"""What a check is, and the kinds of checks there are; each is a query for what offends.

Tables are named with their schema. A query gives one column, the key of what offends, as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a failure means: an error ends the daily run, a warning is shown."""

    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """A named condition on the data; `query` gives the keys of what does not meet it."""

    name: str
    kind: str
    description: str
    query: str
    severity: Severity = Severity.ERROR


def unique(table: str, *columns: str) -> Check:
    """Let no two rows have the same values in these columns."""
    named = ", ".join(columns)
    return Check(
        f"unique {table}",
        "unique",
        f"{named} are unique in {table}",
        f"SELECT concat_ws(' ', {named}) FROM {table} GROUP BY {named} HAVING count(*) > 1",
    )


def not_null(table: str, key: str, *columns: str) -> Check:
    """Let no row lack a value in these columns; `key` is the expression that names a row."""
    missing = " OR ".join(f"{column} IS NULL" for column in columns)
    description = f"{', '.join(columns)} are never null in {table}"
    return Check(f"not null {table}", "not null", description, f"SELECT {key} FROM {table} WHERE {missing}")


def relationship(
    table: str,
    key: str,
    column: str,
    target: str,
    target_column: str | None = None,
    *,
    severity: Severity = Severity.ERROR,
) -> Check:
    """Let each value of a column, where there is one, be in the column of another table that it refers to."""
    found = f"SELECT FROM {target} t WHERE t.{target_column or column} = f.{column}"
    return Check(
        f"relationship {table}.{column}",
        "relationship",
        f"{column} of {table} refers to a row of {target}",
        f"SELECT {key} FROM {table} f WHERE f.{column} IS NOT NULL AND NOT EXISTS ({found})",
        severity,
    )


def accepted_values(table: str, key: str, column: str, values: tuple[str, ...]) -> Check:
    """Let a column have no other values than these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return Check(
        f"accepted values {table}.{column}",
        "accepted values",
        f"{column} of {table} is one of {', '.join(values)}",
        f"SELECT {key} FROM {table} WHERE {column} NOT IN ({listed})",
    )


def in_range(name: str, table: str, key: str, condition: str, severity: Severity = Severity.ERROR) -> Check:
    """Let each row meet a condition on its values."""
    query = f"SELECT {key} FROM {table} WHERE NOT ({condition})"
    return Check(f"range {table}.{name}", "range", f"in {table}: {condition}", query, severity)


def near_in_time(table: str, key: str, date_key: str, years: int, share: int) -> Check:
    """Let no few rows be dated years apart from all others; `date_key` holds days as YYYYMMDD.

    Rows are compared with each other and not with today: a history may be loaded long after it happened. What lies
    years apart is a history of its own where it has more than one row for each `share` of the largest.
    """
    query = (
        f"WITH counted AS (SELECT {date_key} AS day, count(*) AS rows FROM {table} GROUP BY 1), "
        "dated AS (SELECT *, to_date(day::text, 'YYYYMMDD') AS date FROM counted), "
        f"begun AS (SELECT *, (date > lag(date) OVER by_day + interval '{years} years')::integer AS begins FROM dated "
        "WINDOW by_day AS (ORDER BY day)), "
        "numbered AS (SELECT *, sum(coalesce(begins, 1)) OVER (ORDER BY day) AS history FROM begun), "
        "histories AS (SELECT min(day) AS first, max(day) AS last, sum(rows) AS rows FROM numbered GROUP BY history) "
        f"SELECT {key} FROM histories JOIN {table} ON {date_key} BETWEEN first AND last "
        f"WHERE rows * {share} <= (SELECT max(rows) FROM histories)"
    )
    few = f"at most 1 for each {share} of the others"
    description = f"in {table}: no few rows, {few}, are dated more than {years} years from all of these"
    return Check(f"range {table}.far off", "range", description, query, Severity.WARN)


def fresh(name: str, description: str, query: str, severity: Severity = Severity.WARN) -> Check:
    """Let nothing wait longer than it may."""
    return Check(f"freshness {name}", "freshness", description, query, severity)


def reconcile(name: str, description: str, query: str) -> Check:
    """Let two layers say the same; the query gives where they don't, with what each says."""
    return Check(f"reconciliation {name}", "reconciliation", description, query)
