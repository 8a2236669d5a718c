"""Suppliers: how long they take, whether they keep to it, what is spent, and how their goods are delivered on."""

from __future__ import annotations

from typing import NamedTuple

from application.ports.listings import Star
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from application.queries.views.choice import Choice
from application.queries.views.measuring import bars_by, comparable, in_currencies, named, table_by, tiles
from application.queries.views.shapes import Bars, Table, Tile

FLOWS = ("supplier_lead_time_days", "supplier_lead_time_p95_days", "supplier_reliability", "units_received", "spend")
RANKED = (
    "otif_line_rate",
    "supplier_reliability",
    "supplier_lead_time_days",
    "supplier_lead_time_p95_days",
    "units_received",
    "spend",
)


class Suppliers(NamedTuple):
    """What the page shows of the goods received, and the order lines placed, in the chosen period."""

    flows: tuple[Tile, ...]
    lead_times: Bars
    spend: Bars
    ranking: Table


def suppliers(star: Star, choice: Choice) -> Suppliers:
    """Measure suppliers; raises AnalyticsUnavailableError."""
    by = DIMENSIONS["supplier"]
    lead, spend = KPIS["supplier_lead_time_days"], in_currencies(star, KPIS["spend"], choice, choice.period)
    return Suppliers(
        comparable(star, tiles(star, named(choice, FLOWS, spend), choice), spend, choice),
        bars_by(star, lead, by, choice, "Lead time by supplier, the longest first"),
        bars_by(star, spend, by, choice, f"{spend.title} by supplier"),
        ranked(table_by(star, named(choice, RANKED, spend), by, choice, "Suppliers by on time in full")),
    )


def ranked(table: Table) -> Table:
    """Order suppliers by the share of the order lines with their goods that were on time in full, the best first."""
    order = sorted(range(len(table.rows)), key=lambda at: (table.rows[at][1] is None, -(table.rows[at][1] or 0)))
    return table._replace(rows=tuple(table.rows[at] for at in order), keys=tuple(table.keys[at] for at in order))
