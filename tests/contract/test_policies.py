"""What every adapter of `Policies` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.memory.policies import MemoryPolicies
from adapters.postgres.database import open_pool
from adapters.postgres.migrate import migrate
from adapters.postgres.policies import PostgresPolicies
from application.ports.policies import Policies
from application.queries.policies import DEFAULT, Policy, Rule

NOON, EVENING = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 18, tzinfo=UTC)
STRICT = Rule("promised", "delivered", "hour", 4, "line", Decimal("0.95"), "excused")


@contextmanager
def _postgres(conninfo: str) -> Iterator[Policies]:
    with open_pool(conninfo, size=1) as pool:
        yield PostgresPolicies(pool)


@pytest.fixture(params=["memory", "postgres"])
def policies(request: pytest.FixtureRequest) -> Iterator[Policies]:
    if request.param == "memory":
        yield MemoryPolicies()
        return
    with _postgres(request.getfixturevalue("conninfo")) as policies:
        yield policies


def test_the_default_is_there_from_the_start(policies: Policies) -> None:
    assert policies.history() == [DEFAULT]


def test_a_policy_comes_back_as_it_was_recorded(policies: Policies) -> None:
    recorded = policies.record("strict", STRICT, "asked for by sales", "ann", NOON)
    assert recorded == Policy("strict", 1, STRICT, "asked for by sales", NOON)
    assert policies.history() == [DEFAULT, recorded]


def test_a_version_holds_until_the_next(policies: Policies) -> None:
    policies.record("strict", STRICT, "", "ann", NOON)
    policies.record("default", Rule(unit="hour"), "", "ann", EVENING)
    policies.record("strict", Rule(), "", "bob", EVENING)
    spans = [(each.label, each.valid_from, each.valid_to) for each in policies.history()]
    assert spans == [
        ("default@1", None, EVENING),
        ("default@2", EVENING, None),
        ("strict@1", NOON, EVENING),
        ("strict@2", EVENING, None),
    ]


def test_a_migration_leaves_policies_as_they_are(conninfo: str) -> None:
    with _postgres(conninfo) as policies:
        policies.record("default", STRICT, "", "ann", NOON)
        before = policies.history()
        migrate(conninfo)
        assert policies.history() == before
