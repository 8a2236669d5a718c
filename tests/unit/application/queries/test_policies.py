from __future__ import annotations

from decimal import Decimal

import pytest

from application.queries.definitions import ORDER_LINES, ORDERS
from application.queries.kpis import KPIS
from application.queries.policies import DEFAULT, Policy, Rule, UnknownPolicyError, find_policy, terms, under

HISTORY = [DEFAULT, Policy("strict", 1, Rule()), Policy("strict", 2, Rule(basis="delivered"))]


def test_the_default_compares_the_day_of_shipping_with_the_requested_one() -> None:
    assert under(KPIS["orders_late"], DEFAULT).expression == (
        "count(*) FILTER (WHERE f.last_shipped_date_key > f.requested_date_key)"
    )


def test_a_policy_of_lines_counts_lines() -> None:
    lines = under(KPIS["orders_late"], Policy("lines", 1, Rule(grain="line")))
    assert (lines.fact, lines.unit) == (ORDER_LINES, "lines")
    assert under(KPIS["otif_order_rate"], Policy("lines", 1, Rule(grain="line"))).fact is ORDERS


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
