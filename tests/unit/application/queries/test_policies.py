from __future__ import annotations

import re
from decimal import Decimal

import pytest

from application.queries.definitions import ORDER_LINES, ORDERS
from application.queries.kpis import KPIS
from application.queries.policies import DEFAULT, Policy, Rule, UnknownPolicyError, beside, find_policy, terms, under

HISTORY = [DEFAULT, Policy("strict", 1, Rule()), Policy("strict", 2, Rule(basis="delivered"))]


def test_the_default_compares_the_day_of_shipping_with_the_requested_one() -> None:
    assert under(KPIS["orders_late"], DEFAULT).expression == (
        "count(*) FILTER (WHERE f.last_shipped_date_key > f.requested_date_key)"
    )


def test_a_policy_of_lines_counts_lines() -> None:
    lines = under(KPIS["orders_late"], Policy("lines", 1, Rule(grain="line")))
    assert (lines.fact, lines.unit) == (ORDER_LINES, "lines")
    assert under(KPIS["otif_order_rate"], Policy("lines", 1, Rule(grain="line"))).fact is ORDERS


@pytest.mark.parametrize(
    ("name", "title", "meaning"),
    [
        ("orders_late", "Order lines late", "Order lines late by the policy"),
        ("on_time_rate", "On-time rate, order lines", "Order lines on time / those shipped"),
        ("in_full_rate", "In full, order lines", "Order lines in full / those of which a unit was shipped"),
        ("otif_rate", "On time in full, order lines", "Order lines on time and in full / those shipped"),
    ],
)
def test_a_policy_of_lines_names_lines(name: str, title: str, meaning: str) -> None:
    lines = Policy("lines", 1, Rule(grain="line"))
    bound = under(KPIS[name], lines)
    assert bound.title == title
    assert bound.description.startswith(meaning)
    assert not re.search(r"\borders?\b(?! line)", f"{bound.title} {bound.description}", re.IGNORECASE)
    assert beside(KPIS[name], lines).title == f"{title} (lines@1)"
    whole = under(KPIS[name], Policy("orders", 1, Rule()))
    assert (whole.title, whole.description) == (KPIS[name].title, KPIS[name].description)


def test_what_counts_lines_has_another_title_and_no_two_are_alike() -> None:
    lines = Policy("lines", 1, Rule(grain="line"))
    for kpi in KPIS.values():
        bound = under(kpi, lines)
        assert (bound.fact != kpi.fact) == (bound.title != kpi.title) == (kpi.of_lines is not None)
    assert len({under(kpi, lines).title for kpi in KPIS.values()}) == len(KPIS)


def test_a_kpi_that_no_policy_decides_stays_as_it_is() -> None:
    assert under(KPIS["net"], Policy("lines", 1, Rule(grain="line"))) is KPIS["net"]


def test_every_word_of_every_kpi_has_a_meaning() -> None:
    for kpi in KPIS.values():
        bound = under(kpi, DEFAULT)
        assert "{" not in bound.expression + bound.counted
        assert kpi.by_policy == (bound.expression != kpi.expression)


def test_in_full_may_be_a_share_and_excuse_what_was_cancelled() -> None:
    rule = Rule(basis="delivered", in_full=Decimal("0.950"), cancelled="excused")
    assert terms(rule)["in_full"] == "f.delivered > 0 AND f.delivered >= 0.950 * (f.ordered - f.cancelled)"


def test_a_policy_is_found_by_name_or_by_version() -> None:
    assert find_policy(HISTORY, "strict").version == 2
    assert find_policy(HISTORY, "strict@1").version == 1
    with pytest.raises(UnknownPolicyError, match=r"no policy 'lax'; there are default@1, strict@1, strict@2"):
        find_policy(HISTORY, "lax")
