"""What a KPI and a dimension are: one definition each, over the columns of gold.

Expressions are SQL over one fact, which is called `f`; table names stand without a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact table of gold: what a row of it is, its key, and the date key that says to which day a row belongs.

    Rows of a `snapshot` add up across everything but days: of a period, only its last day counts, or the last one
    before where the snapshot ends before the period begins. Where only some `rows` of the table are meant, the
    condition says which.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    date_key: str
    snapshot: bool = False
    rows: str = "true"


class Wording(NamedTuple):
    """What a KPI is called, and its formula in words."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure: an aggregate over the rows of a fact.

    `direction` says which way is better. `counted` is the condition that picks the rows behind the figure,
    for a ratio those of its numerator. `description` is the formula in words, `source` the standard it
    follows. Words in braces (`{late}`) stand for what a policy says; with `of_lines`, it says of
    which fact, too: where that is order lines, the KPI is called so.
    """

    name: str
    title: str
    unit: str
    direction: Literal["up", "down", "none"]
    fact: Fact
    expression: str
    description: str
    counted: str = "true"
    source: str = ""
    of_lines: Wording | None = None

    @property
    def by_policy(self) -> bool:
        """Whether a policy decides what the figure means."""
        return "{" in self.expression

    @property
    def of_nothing(self) -> int | None:
        """What the figure is over no rows: 0 where they are counted or added up; a share or an average is not known."""
        divided = any(each in self.expression for each in ("nullif(", "avg(", "percentile_cont("))
        return None if divided else 0


class Held(NamedTuple):
    """What a fact itself holds of a dimension, so that a filter needs no join: the column, and where its keys are.

    `keys` is what follows SELECT, up to a condition; without it the column holds the members themselves. An array
    holds `many`. Keys that are `days` are asked for as runs of them, from the first to the last. Where the column is
    `indexed`, and refers to one of the keys in each row, it is looked up whether all rows are of the members.
    """

    column: str
    keys: str = ""
    many: bool = False
    days: bool = False
    indexed: bool = False


class Through(NamedTuple):
    """The fact whose rows know a dimension for another fact: those with `column` equal to its `link`.

    `rows`, where it is given, is a query for other rows that know the dimension as those of the fact do. By default
    each row has some there; with `perhaps`, it has one or none, and is then of the unknown member.
    """

    fact: Fact
    column: str
    link: str
    rows: str = ""
    perhaps: bool = False

    @property
    def table(self) -> str:
        """Return what stands after FROM."""
        return f"({self.rows})" if self.rows else self.fact.name


class Source(NamedTuple):
    """Where a fact finds a dimension: expressions for a member's key and label, the joins they need.

    The `joins` are those of the key, `naming` those of the label alone. `through` another fact, a row belongs to
    each member that one of its rows there belongs to. What is `held` by the fact is filtered on without any of them.
    """

    key: str
    label: str
    joins: tuple[str, ...] = ()
    naming: tuple[str, ...] = ()
    through: Through | None = None
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """What figures are broken down by; `sources` by the name of the fact. `time` marks periods.

    `meaning` says in words whose member a row is, where the title does not.
    """

    name: str
    title: str
    sources: Mapping[str, Source] = field(hash=False)
    time: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of a fact for people to read: columns by name, each an expression, and the order that they come in.

    Of a snapshot only its last day is listed.
    """

    fact: Fact
    columns: tuple[tuple[str, str], ...]
    order: str
    joins: tuple[str, ...] = ()
    condition: str = "true"


ORDERS = Fact("fact_order", "order", ("stream_id",), "placed_date_key")
ORDER_LINES = Fact("fact_order_line", "order line", ("stream_id", "line_no"), "placed_date_key")
UNSHIPPED_ORDERS = replace(
    ORDERS, grain="order with units still to be shipped", rows="f.shipped < f.ordered - f.cancelled"
)
BACKORDERS = replace(ORDER_LINES, grain="order line that waits for stock", rows="f.backordered > 0")
SHIPMENTS = Fact("fact_shipment", "shipment", ("stream_id",), "planned_date_key")
SHIPMENTS_UNDER_WAY = replace(
    SHIPMENTS,
    grain="shipment under way",
    rows="f.dispatched_at IS NOT NULL AND f.delivered_at IS NULL AND f.returned_at IS NULL",
)
STOCK_MOVEMENTS = Fact("fact_stock_movement", "movement of a stock", ("stream_id", "version"), "moved_date_key")
RECEIPTS = replace(STOCK_MOVEMENTS, grain="receipt of goods", rows="f.kind = 'received'")
SCRAPPINGS = replace(STOCK_MOVEMENTS, grain="scrapping of stock", rows="f.kind = 'scrapped'")
CORRECTIONS = replace(STOCK_MOVEMENTS, grain="correction of a stock", rows="f.kind IN ('counted', 'adjusted')")
STOCK_DAILY = Fact(
    "fact_stock_daily", "stock at the end of the last day", ("stream_id", "date_key"), "date_key", snapshot=True
)
STOCK_DAYS = Fact("fact_stock_daily", "stock on each day", ("stream_id", "date_key"), "date_key")
FACTS = (ORDERS, ORDER_LINES, SHIPMENTS, STOCK_MOVEMENTS, STOCK_DAILY)
