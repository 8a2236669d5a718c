"""Policies: what counts as late and as in full, as versioned rules that the KPIs are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from application.errors import InvalidRequestError
from application.queries.definitions import ORDER_LINES, Kpi

Due = Literal["requested", "promised", "original"]
Basis = Literal["shipped", "delivered"]
Unit = Literal["day", "hour"]
Cancelled = Literal["missing", "excused"]
Grain = Literal["order", "line"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy says.

    An order (or line, by `grain`) is late when the last unit that was `basis` was so after the date that is `due`, by
    more than `tolerance` units of time. Units that are still open make nothing late, however long ago the date was:
    an order is judged by what has left (or arrived), so that a figure depends on the log and on no clock. Such an
    order is not in full, unless a smaller share is enough, and so not on time in full either. By `day`, calendar days
    (UTC) are compared; by `hour`, a date n days after the order (or after its line was added) means n times 24 hours
    after it. In full are at least `in_full` (a share, above 0) of the units ordered, cancelled ones counted as missing
    or excused.
    """

    due: Due = "requested"
    basis: Basis = "shipped"
    unit: Unit = "day"
    tolerance: int = 0
    grain: Grain = "order"
    in_full: Decimal = Decimal(1)
    cancelled: Cancelled = "missing"


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a named rule, and from when until when (None: still) it was the one in force."""

    name: str
    version: int
    rule: Rule
    note: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def label(self) -> str:
        """Return the name with the version: `default@1`."""
        return f"{self.name}@{self.version}"


DEFAULT = Policy("default", 1, Rule(), "late is what was shipped on a day after the requested date")

_DUE = {
    "requested": "f.requested_date_key",
    "promised": "f.promised_date_key",
    "original": "f.original_promised_date_key",
}
_DONE = {
    "shipped": ("f.last_shipped_at", "f.last_shipped_date_key", "f.shipped"),
    "delivered": ("f.delivered_at", "f.delivered_date_key", "f.delivered"),
}


def terms(rule: Rule) -> dict[str, str]:
    """Return what the words of KPI expressions mean under a rule, as SQL conditions over orders or lines.

    `measured`: something was shipped (or delivered), and there was a date for it; `late` and `in_full` as
    the rule says, `in_full` only where it is `done`, in part at least.
    """
    due = _DUE[rule.due]
    _, day, units = _DONE[rule.basis]
    wanted = "f.ordered" if rule.cancelled == "missing" else "(f.ordered - f.cancelled)"
    least = wanted if rule.in_full == 1 else f"{rule.in_full:f} * {wanted}"
    return {
        "done": f"{units} > 0",
        "measured": f"{day} IS NOT NULL AND {due} IS NOT NULL",
        "late": _late(rule),
        "in_full": f"{units} > 0 AND {units} >= {least}",
    }


def _late(rule: Rule) -> str:
    due = _DUE[rule.due]
    at, day, _ = _DONE[rule.basis]
    if rule.unit == "hour":
        days = f"({due}::text::date - (f.placed_at AT TIME ZONE 'UTC')::date)"
        return f"{at} > f.placed_at + make_interval(hours => 24 * {days} + {rule.tolerance:d})"
    if rule.tolerance:
        return f"({at} AT TIME ZONE 'UTC')::date > {due}::text::date + {rule.tolerance:d}"
    return f"{day} > {due}"


def under(kpi: Kpi, policy: Policy) -> Kpi:
    """Return a KPI with the policy's meaning in place of the words, over the facts of its grain, and named after it."""
    if not kpi.by_policy:
        return kpi
    meaning = terms(policy.rule)
    bound = replace(kpi, expression=kpi.expression.format(**meaning), counted=kpi.counted.format(**meaning))
    if kpi.of_lines is not None and policy.rule.grain == "line":
        unit = "lines" if kpi.unit == "orders" else kpi.unit
        return replace(bound, fact=ORDER_LINES, unit=unit, **kpi.of_lines._asdict())
    return bound


def beside(kpi: Kpi, policy: Policy) -> Kpi:
    """Return a KPI under a policy, named after both, so that several stand side by side."""
    bound = under(kpi, policy)
    return replace(bound, name=f"{kpi.name}@{policy.label}", title=f"{bound.title} ({policy.label})")


class UnknownPolicyError(InvalidRequestError):
    """There is no policy of that name, or no such version of it."""


def find_policy(history: Sequence[Policy], name: str) -> Policy:
    """Return the policy in force under a name, or the version that `name@version` names.

    Raises:
        UnknownPolicyError: there is none; the message lists those there are.
    """
    for policy in reversed(history):
        if name in {policy.name, policy.label}:
            return policy
    raise UnknownPolicyError(f"no policy {name!r}; there are {', '.join(policy.label for policy in history)}")
