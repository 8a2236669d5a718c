"""Policies in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from application.queries.policies import DEFAULT, Policy, Rule


class MemoryPolicies:
    """The `Policies` port; see there."""

    def __init__(self, policies: Iterable[Policy] = (DEFAULT,)) -> None:
        self._policies = list(policies)

    def history(self) -> list[Policy]:
        """Return all versions in order of name and version."""
        return sorted(self._policies, key=lambda policy: (policy.name, policy.version))

    def record(self, name: str, rule: Rule, note: str, actor: str, now: datetime) -> Policy:
        """Keep a rule as the next version of a policy."""
        earlier = [policy for policy in self.history() if policy.name == name]
        if earlier:
            self._policies[self._policies.index(earlier[-1])] = replace(earlier[-1], valid_to=now)
        recorded = Policy(name, len(earlier) + 1, rule, note, now)
        self._policies.append(recorded)
        return recorded
