"""The page of the KPIs and the dimensions that they can be broken down by."""

from __future__ import annotations

import application.queries.dimensions
import application.queries.kpis as definitions
from application.queries.definitions import Fact, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from application.queries.periods import previous
from application.queries.policies import DEFAULT, Rule, terms, under
from entrypoints.reference.markdown import as_code, described, page, table

_BETTER = {"up": "higher", "down": "lower", "none": ""}
_EXPRESSIONS = (
    "What is computed, in SQL over the rows of the fact, which is called `f`; where a policy decides, by "
    f"`{DEFAULT.label}`.\n"
)
_POLICY = (
    "Words of KPIs marked with *policy*, and what they mean by `default@1`. `dataflow policy` lists and sets them. "
    "Those that have a name by lines count order lines, and are called so, where the policy judges lines.\n"
)


def kpis_page() -> str:
    """Return the page."""
    facts = dict.fromkeys(kpi.fact for kpi in KPIS.values())
    expressions = [
        (as_code(kpi.name), as_code(" ".join(under(kpi, DEFAULT).expression.split()))) for kpi in KPIS.values()
    ]
    words = [(word, as_code(meaning)) for word, meaning in terms(DEFAULT.rule).items()]
    return page(
        "KPIs",
        f"{described(definitions)}\n",
        *map(_section, facts),
        "## Dimensions\n",
        f"{described(application.queries.dimensions)}\n",
        table(("name", "title", "meaning"), [(as_code(d.name), d.title, d.meaning) for d in DIMENSIONS.values()]),
        "## The period before\n",
        f"{described(previous)}\n",
        "## Policies\n",
        f"{described(Rule)}\n",
        _POLICY,
        table(("word", "expression"), words),
        "## Expressions\n",
        _EXPRESSIONS,
        table(("name", "expression"), expressions),
    )


def _section(fact: Fact) -> str:
    head = ("name", "title", "unit", "better", "meaning", "standard")
    rows = [_row(kpi) for kpi in KPIS.values() if kpi.fact == fact]
    dimensions = [name for name, dimension in DIMENSIONS.items() if fact.name in dimension.sources]
    title = f"## From {fact.name}: {fact.grain}\n\n"
    return f"{title}{table(head, rows)}\nBroken down by {as_code(*dimensions)}; filters take the same.\n"


def _row(kpi: Kpi) -> tuple[str, ...]:
    of_lines = f"by lines *{kpi.of_lines.title}*" if kpi.of_lines else ""
    decided = ", ".join(filter(None, (kpi.source, "*policy*" if kpi.by_policy else "", of_lines)))
    return as_code(kpi.name), kpi.title, kpi.unit, _BETTER[kpi.direction], kpi.description, decided
