"""Tables of figures, and the rows behind them: what dashboard, report and command line ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from application.errors import InvalidRequestError
from application.ports.analytics import Analytics, Evidence, Figure, Filter, Measured, Member, Period, Selection
from application.queries.definitions import Dimension, Fact, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from application.queries.periods import previous
from application.queries.policies import DEFAULT, Policy, beside, under

Members = Mapping[str, Sequence[str | None]]
"""Members to keep, by the name of their dimension."""


class UnknownKpiError(InvalidRequestError):
    """There is no KPI of that name."""


class UnknownDimensionError(InvalidRequestError):
    """There is no dimension of that name."""


class UnsupportedBreakdownError(InvalidRequestError):
    """The facts behind a KPI don't know a dimension."""


class UnsupportedComparisonError(InvalidRequestError):
    """There is no period to compare with."""


class Change(NamedTuple):
    """A figure of the period before, the difference to it, and the share of it that this is; None: not known."""

    previous: Figure
    difference: Figure
    ratio: Decimal | None


class KpiTable(NamedTuple):
    """KPIs, what they are broken down by, and a row for each member; true up to `position` of the log.

    `policies` are those that the KPIs are measured by; where there are several, those KPIs stand once for each.
    `before` has the figures of the period before by member, where a comparison was asked for; a member of that period
    alone has a row without figures.
    """

    position: int
    kpis: tuple[Kpi, ...]
    by: Dimension | None
    rows: tuple[Measured, ...]
    policies: tuple[Policy, ...] = (DEFAULT,)
    before: Mapping[Member, Mapping[str, Figure]] | None = None
    period_before: Period | None = None

    def change(self, row: Measured, kpi: Kpi) -> Change:
        """Return how a figure of a row changed against the period before."""
        then = (self.before or {}).get(row.member, {}).get(kpi.name)
        now = row.figures[kpi.name]
        if now is None or then is None:
            return Change(then, None, None)
        ratio = (Decimal(now) - then) / abs(Decimal(then)) if then else None
        return Change(then, _difference(now, then), None if ratio is None else round(ratio, 6))


def find_kpi(name: str) -> Kpi:
    """Return a KPI by name.

    Raises:
        UnknownKpiError: there is none; the message lists those there are.
    """
    if name not in KPIS:
        raise UnknownKpiError(f"no KPI {name!r}; there are {', '.join(KPIS)}")
    return KPIS[name]


def find_dimension(name: str) -> Dimension:
    """Return a dimension by name.

    Raises:
        UnknownDimensionError: there is none; the message lists those there are.
    """
    if name not in DIMENSIONS:
        raise UnknownDimensionError(f"no dimension {name!r}; there are {', '.join(DIMENSIONS)}")
    return DIMENSIONS[name]


def kpis_for(dimensions: Sequence[Dimension]) -> tuple[Kpi, ...]:
    """Return the KPIs that can be broken down by, or filtered on, all of the dimensions."""
    return tuple(kpi for kpi in KPIS.values() if all(_knows(kpi.fact, each) for each in dimensions))


def kpi_table(
    analytics: Analytics,
    names: Sequence[str] = (),
    *,
    by: str | None = None,
    members: Members | None = None,
    period: Period | None = None,
    policies: Sequence[Policy] = (DEFAULT,),
    compare: bool = False,
) -> KpiTable:
    """Measure KPIs, all that the dimensions allow where no names are given; with `compare`, the period before too.

    Raises:
        UnknownKpiError, UnknownDimensionError: a name is wrong.
        UnsupportedBreakdownError: a named KPI does not know a dimension.
        UnsupportedComparisonError: a comparison without a period, or by periods.
        AnalyticsUnavailableError: there is nothing to read from.
    """
    dimension = find_dimension(by) if by is not None else None
    where = selection(members, period)
    used = [each.dimension for each in where.filters] + ([dimension] if dimension else [])
    chosen = tuple(find_kpi(name) for name in names) or kpis_for(used)
    for kpi in chosen:
        _require_known(kpi, used)
    earlier = _period_before(period, used) if compare else None
    # One policy may be named in two ways: by its name alone, and with its version.
    measured_by = tuple(dict.fromkeys(policies))
    kpis = _by_policies(chosen, measured_by)
    # The position is read first: figures may be a moment newer than it says, never older.
    position = analytics.position()
    rows = tuple(analytics.measure(kpis, dimension, where))
    before = None
    if earlier is not None:
        measured = analytics.measure(kpis, dimension, where._replace(period=earlier))
        before = {row.member: row.figures for row in measured}
        rows = _with_those_before(rows, before, kpis)
    return KpiTable(position, kpis, dimension, rows, measured_by, before, earlier)


def evidence(
    analytics: Analytics,
    name: str,
    *,
    members: Members | None = None,
    period: Period | None = None,
    policy: Policy = DEFAULT,
    limit: int = 100,
) -> list[Evidence]:
    """Return rows behind a KPI; raises as `kpi_table` does."""
    where = selection(members, period)
    return analytics.evidence(kpi_within(name, where, policy), where, limit)


def kpi_within(name: str, where: Selection, policy: Policy) -> Kpi:
    """Return a KPI as a policy says, for a selection of facts.

    Raises:
        UnknownKpiError: there is none of that name.
        UnsupportedBreakdownError: it does not know a dimension of the selection.
    """
    kpi = find_kpi(name)
    _require_known(kpi, [each.dimension for each in where.filters])
    return under(kpi, policy)


def selection(members: Members | None, period: Period | None) -> Selection:
    """Return which facts count; raises UnknownDimensionError."""
    filters = [Filter(find_dimension(name), tuple(keys)) for name, keys in (members or {}).items()]
    return Selection(tuple(filters), period)


def as_json(table: KpiTable) -> dict[str, Any]:
    """Return a table as plain JSON values; a decimal becomes a string, so that no digit is lost."""
    plain: dict[str, Any] = {
        "position": table.position,
        "by": table.by.name if table.by else None,
        "policies": [policy.label for policy in table.policies],
        "kpis": [
            {"name": kpi.name, "title": kpi.title, "unit": kpi.unit, "direction": kpi.direction} for kpi in table.kpis
        ],
        "rows": [_plain_row(table, row) for row in table.rows],
    }
    if table.period_before is not None:
        plain["previous_period"] = {"from": table.period_before.first, "to": table.period_before.last}
    return plain


def _plain_row(table: KpiTable, row: Measured) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "key": row.member.key,
        "label": row.member.label,
        "figures": {name: _plain(figure) for name, figure in row.figures.items()},
    }
    if table.before is not None:
        changes = {kpi.name: table.change(row, kpi)._asdict() for kpi in table.kpis}
        plain["changes"] = {
            name: {part: _plain(figure) for part, figure in change.items()} for name, change in changes.items()
        }
    return plain


def _plain(figure: Figure) -> int | str | None:
    return f"{figure:f}" if isinstance(figure, Decimal) else figure


def _difference(now: int | Decimal, then: int | Decimal) -> int | Decimal:
    return now - then if isinstance(now, int) and isinstance(then, int) else Decimal(now) - then


def _by_policies(kpis: Sequence[Kpi], policies: Sequence[Policy]) -> tuple[Kpi, ...]:
    if len(policies) == 1:
        return tuple(under(kpi, policies[0]) for kpi in kpis)
    return tuple(each for kpi in kpis for each in ([beside(kpi, p) for p in policies] if kpi.by_policy else [kpi]))


def _period_before(period: Period | None, used: Sequence[Dimension]) -> Period:
    if period is None or period.first == date.min or period.last == date.max:
        raise UnsupportedComparisonError("a comparison needs a period: give its first and its last day")
    for dimension in used:
        if dimension.time:
            raise UnsupportedComparisonError(f"a comparison with the period before can't be by {dimension.name}")
    try:
        return previous(period)
    except (OverflowError, ValueError):
        raise UnsupportedComparisonError(f"there is no period as long before {period.first}") from None


def _with_those_before(
    rows: tuple[Measured, ...], before: Mapping[Member, Mapping[str, Figure]], kpis: Sequence[Kpi]
) -> tuple[Measured, ...]:
    """Return the rows with one for each member that only the period before has, in the order of their keys."""
    now = {row.member for row in rows}
    gone = [Measured(member, {kpi.name: None for kpi in kpis}) for member in before if member not in now]
    return tuple(sorted([*rows, *gone], key=lambda row: (row.member.key is None, row.member.key or "")))


def _knows(fact: Fact, dimension: Dimension) -> bool:
    return fact.name in dimension.sources


def _require_known(kpi: Kpi, dimensions: Sequence[Dimension]) -> None:
    for dimension in dimensions:
        if not _knows(kpi.fact, dimension):
            raise UnsupportedBreakdownError(f"{kpi.name} can't be broken down by {dimension.name}")
