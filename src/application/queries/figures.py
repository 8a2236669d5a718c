"""Tables of figures, and the rows behind them: what dashboard, report and command line ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from application.errors import PlatformError
from application.ports.analytics import Analytics, Evidence, Figure, Filter, Measured, Period, Selection
from application.queries.definitions import Dimension, Fact, Kpi
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS

Members = Mapping[str, Sequence[str | None]]
"""Members to keep, by the name of their dimension."""


class UnknownKpiError(PlatformError):
    """There is no KPI of that name."""


class UnknownDimensionError(PlatformError):
    """There is no dimension of that name."""


class UnsupportedBreakdownError(PlatformError):
    """The facts behind a KPI don't know a dimension."""


class KpiTable(NamedTuple):
    """KPIs, what they are broken down by, and a row for each member; true up to `position` of the log."""

    position: int
    kpis: tuple[Kpi, ...]
    by: Dimension | None
    rows: tuple[Measured, ...]


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
) -> KpiTable:
    """Measure KPIs, all that the dimensions allow where no names are given.

    Raises:
        UnknownKpiError, UnknownDimensionError: a name is wrong.
        UnsupportedBreakdownError: a named KPI does not know a dimension.
        AnalyticsUnavailableError: there is nothing to read from.
    """
    dimension = find_dimension(by) if by is not None else None
    where = _selection(members, period)
    used = [each.dimension for each in where.filters] + ([dimension] if dimension else [])
    kpis = tuple(find_kpi(name) for name in names) or kpis_for(used)
    for kpi in kpis:
        _require_known(kpi, used)
    # The position is read first: figures may be a moment newer than it says, never older.
    position = analytics.position()
    return KpiTable(position, kpis, dimension, tuple(analytics.measure(kpis, dimension, where)))


def evidence(
    analytics: Analytics,
    name: str,
    *,
    members: Members | None = None,
    period: Period | None = None,
    limit: int = 100,
) -> list[Evidence]:
    """Return rows behind a KPI; raises as `kpi_table` does."""
    kpi, where = find_kpi(name), _selection(members, period)
    _require_known(kpi, [each.dimension for each in where.filters])
    return analytics.evidence(kpi, where, limit)


def as_json(table: KpiTable) -> dict[str, Any]:
    """Return a table as plain JSON values; a decimal becomes a string, so that no digit is lost."""
    return {
        "position": table.position,
        "by": table.by.name if table.by else None,
        "kpis": [
            {"name": kpi.name, "title": kpi.title, "unit": kpi.unit, "direction": kpi.direction} for kpi in table.kpis
        ],
        "rows": [
            {
                "key": row.member.key,
                "label": row.member.label,
                "figures": {name: _plain(figure) for name, figure in row.figures.items()},
            }
            for row in table.rows
        ],
    }


def _plain(figure: Figure) -> int | str | None:
    return f"{figure:f}" if isinstance(figure, Decimal) else figure


def _selection(members: Members | None, period: Period | None) -> Selection:
    filters = [Filter(find_dimension(name), tuple(keys)) for name, keys in (members or {}).items()]
    return Selection(tuple(filters), period)


def _knows(fact: Fact, dimension: Dimension) -> bool:
    return fact.name in dimension.sources


def _require_known(kpi: Kpi, dimensions: Sequence[Dimension]) -> None:
    for dimension in dimensions:
        if not _knows(kpi.fact, dimension):
            raise UnsupportedBreakdownError(f"{kpi.name} can't be broken down by {dimension.name}")
