"""Policies as kept: every version of what counts as late and as in full."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from application.errors import PlatformError
from application.queries.policies import Policy, Rule


class Policies(Protocol):
    """Versions of policies; a version is never changed, the policy `default` always exists."""

    def history(self) -> list[Policy]:
        """Return all versions in order of name and version, each valid until the next one's begin.

        Raises:
            StoreUnavailableError: the database can't be reached.
        """

    def record(self, name: str, rule: Rule, note: str, actor: str, now: datetime) -> Policy:
        """Keep a rule as the next version of a policy, in force from `now`, and return it.

        Raises:
            PolicyChangedError: somebody else recorded a version meanwhile.
            StoreUnavailableError: the database can't be reached.
        """


class PolicyChangedError(PlatformError):
    """Somebody else set the policy at the same moment; look at it and set it again."""
