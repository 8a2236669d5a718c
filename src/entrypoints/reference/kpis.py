"""The page of the KPIs and the dimensions that they can be broken down by."""

from __future__ import annotations

import application.queries.kpis as definitions
from application.queries.definitions import Fact, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from entrypoints.reference.markdown import as_code, described, page, table

_BETTER = {"up": "higher", "down": "lower", "none": ""}
_EXPRESSIONS = "What is computed, in SQL over the rows of the fact, which is called `f`.\n"


def kpis_page() -> str:
    """Return the page."""
    facts = dict.fromkeys(kpi.fact for kpi in KPIS.values())
    expressions = [(as_code(kpi.name), as_code(" ".join(kpi.expression.split()))) for kpi in KPIS.values()]
    return page(
        "KPIs",
        f"{described(definitions)}\n",
        *map(_section, facts),
        "## Expressions\n",
        _EXPRESSIONS,
        table(("name", "expression"), expressions),
    )


def _section(fact: Fact) -> str:
    head = ("name", "title", "unit", "better", "meaning")
    rows = [_row(kpi) for kpi in KPIS.values() if kpi.fact == fact]
    dimensions = [name for name, dimension in DIMENSIONS.items() if fact.name in dimension.sources]
    return f"## From {fact.name}\n\n{table(head, rows)}\nBroken down by {as_code(*dimensions)}.\n"


def _row(kpi: Kpi) -> tuple[str, ...]:
    return as_code(kpi.name), kpi.title, kpi.unit, _BETTER[kpi.direction], kpi.description
