"""What a KPI and a dimension are: one definition each, over the columns of gold.

Expressions are SQL over one fact, which is called `f`; table names stand without a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact table of gold and the date key that says to which day a row belongs.

    Rows of a `snapshot` add up across everything but days: of a period, only its last day counts.
    """

    name: str
    date_key: str
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure: an aggregate over the rows of a fact.

    `direction` says which way is better. `counted` is the condition that picks the rows behind the figure,
    for a ratio those of its numerator. `description` is the formula in words.
    """

    name: str
    title: str
    unit: str
    direction: Literal["up", "down", "none"]
    fact: Fact
    expression: str
    description: str
    counted: str = "true"


class Source(NamedTuple):
    """Where a fact finds a dimension: expressions for a member's key and label, the joins they need."""

    key: str
    label: str
    joins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dimension:
    """What figures are broken down by; `sources` by the name of the fact. `time` marks periods."""

    name: str
    title: str
    sources: Mapping[str, Source] = field(hash=False)
    time: bool = False


ORDER_LINES = Fact("fact_order_line", "placed_date_key")
SHIPMENTS = Fact("fact_shipment", "planned_date_key")
STOCK_MOVEMENTS = Fact("fact_stock_movement", "moved_date_key")
STOCK_DAILY = Fact("fact_stock_daily", "date_key", snapshot=True)
FACTS = (ORDER_LINES, SHIPMENTS, STOCK_MOVEMENTS, STOCK_DAILY)
