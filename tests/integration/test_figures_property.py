"""For any log: figures by filters, breakdowns, periods and policies are those that plain Python makes of the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from application.codec import Recorded
from application.ports.analytics import Period
from application.queries.dimensions import DIMENSIONS
from application.queries.explain import explain_figure
from application.queries.figures import kpi_table, kpis_for
from application.queries.policies import Policy, Rule
from domain.catalog.events import CustomerRegistered, CustomerRevised, ProductRegistered, ProductRevised
from domain.order.events import OrderPlaced
from tests.figures_oracle import TIME, Facts, figures, kpis
from tests.independent_fold import read_raw
from tests.integration.random_logs import shuffled, simulated
from tests.integration.star import Star, star
from tests.soak import SOAK, examples

SEEDS = range(1, 8 if SOAK else 3)
QUESTIONS = examples(15)
STARTS = (date(2020, 12, 28), date(2024, 2, 26))
"""The weeks of a year's end that has a week 53, and of a leap day."""
RULES = (
    Rule(),
    Rule(due="promised", basis="delivered", tolerance=1, grain="line", in_full=Decimal("0.5")),
    Rule(unit="hour", tolerance=7, cancelled="excused"),
)


def awkward(seed: int) -> Iterator[Recorded]:
    """Give a log out of order, of two currencies; products and customers change, some and two orders are unknown."""
    chance = Random(seed)  # noqa: S311 - reproducible on purpose
    log = simulated(seed, STARTS[seed % 2])
    streams = sorted({each.stream_id for each in log})
    entries = [each for each in streams if each.startswith(("product-", "customer-", "location-"))]
    orders = [each for each in streams if each.startswith("order-")]
    unknown = {*chance.sample(entries, len(entries) // 5), *chance.sample(orders, 2)}
    versions: Counter[str] = Counter()
    for recorded in shuffled(log, chance):
        if recorded.stream_id in unknown:
            continue
        event = recorded.event
        if isinstance(event, OrderPlaced):
            event = replace(event, currency=chance.choice(("EUR", "USD")), carrier_id=chance.choice((None, "own")))
        registered = isinstance(event, ProductRegistered | CustomerRegistered)
        for each in (event, revised(event, chance)) if registered else (event,):
            versions[recorded.stream_id] += 1
            yield Recorded(versions.total(), recorded.stream_id, versions[recorded.stream_id], each)


def revised(event: ProductRegistered | CustomerRegistered, chance: Random) -> Any:
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    values["occurred_at"] += timedelta(hours=chance.randint(0, 200))
    if isinstance(event, ProductRegistered):
        return ProductRevised(**values | {"category": chance.choice((None, "Other")), "supplier_id": "another"})
    return CustomerRevised(**values | {"segment": "other", "country": chance.choice((None, "XX"))})


def ask(house: Star, facts: Facts, chance: Random, start: date) -> None:
    """Ask a question of all KPIs that allow it, within a period and within the one before it."""
    by, *dimensions = chance.sample([None, *DIMENSIONS], chance.choice((1, 2, 3, 4)))
    members = {name: some_members(facts, name, chance) for name in dimensions if name}
    first = start + timedelta(days=chance.randint(-3, 12))
    days = chance.choice((None, Period(first, first + timedelta(days=chance.choice((0, 4, 6, 30))))))
    used = [*members, *([by] if by else [])]
    policy = Policy("tried", 1, chance.choice(RULES))
    known = [kpi.name for kpi in kpis_for([DIMENSIONS[name] for name in used]) if kpi.name in kpis(policy.rule)]
    compare = days is not None and not set(used) & set(TIME)
    table = kpi_table(house.analytics, known, by=by, members=members, period=days, policies=[policy], compare=compare)
    measured = {(days, row.member.key, name): row.figures[name] for row in table.rows for name in known}
    for member, found in (table.before or {}).items():
        measured |= {(table.period_before, member.key, name): found[name] for name in known}
    for name in known:
        for period in {days, table.period_before if compare else days}:
            expected = figures(facts, kpis(policy.rule)[name], by, members, period)
            got = {member: each for (of, member, kpi), each in measured.items() if (of, kpi) == (period, name)}
            assert got.keys() >= expected.keys()
            for member, figure in got.items():
                assert equal(figure, expected.get(member)), (name, by, member, members, period, policy.rule)
        if by is None:
            explained = explain_figure(house.analytics, name, members=members, period=days, policy=policy, limit=10_000)
            assert (explained.figure, explained.total) == (measured[days, None, name], len(explained.rows))


def some_members(facts: Facts, dimension: str, chance: Random) -> list[str | None]:
    rows = [*facts.order, *facts.shipment, *facts.movement]
    known = {face[dimension] for row in rows for face in row.dated if dimension in face}
    return chance.sample(sorted(known | {None, "nobody"}, key=str), chance.randint(1, min(3, len(known) + 1)))


def equal(figure: Any, expected: Any) -> bool:
    """Tell whether a figure is what was expected, but for the rounding of shares and averages."""
    if figure is None or expected is None:
        return figure is expected
    return abs(Fraction(figure) - Fraction(expected)) <= (
        0 if isinstance(expected, int | Decimal) else Fraction(1, 19_999)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_are_what_the_events_say_whatever_they_are_filtered_on_and_broken_down_by(
    prepared: str, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - reproducible on purpose
    with star(prepared, list(awkward(seed))) as house:
        facts = Facts(read_raw(prepared))
        for _ in range(QUESTIONS):
            ask(house, facts, chance, STARTS[seed % 2])
