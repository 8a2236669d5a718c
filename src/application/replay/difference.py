"""What lies between two builds of the star: the KPIs that moved, by how much, and the rows and events behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from application.ports.analytics import EVERYTHING, Figure
from application.ports.builds import Builds, KeptBuild, MovedRows
from application.queries.currencies import Currencies, currencies
from application.queries.definitions import Kpi
from application.queries.figures import kpi_table
from application.queries.policies import DEFAULT, Policy


@dataclass(frozen=True, slots=True)
class Move:
    """A KPI that has another figure in the second build than in the first; `change` is None where one has none."""

    kpi: Kpi
    first: Figure
    second: Figure
    change: Figure
    behind: MovedRows


@dataclass(frozen=True, slots=True)
class BuildDifference:
    """Two builds, the KPIs that moved from the first to the second by a policy, and how many did not.

    `currencies` are those that sums of money add up, by KPI: in the second build now, in the first before.
    """

    first: KeptBuild
    second: KeptBuild
    policy: Policy
    moves: tuple[Move, ...]
    unmoved: int
    currencies: Mapping[str, Currencies]

    def report(self) -> dict[str, Any]:
        """Return the difference as plain data; times and decimals are left to the encoder."""
        return {
            "first": asdict(self.first),
            "second": asdict(self.second),
            "policy": self.policy.label,
            "unmoved": self.unmoved,
            "moves": [
                {
                    "kpi": move.kpi.name,
                    "unit": move.kpi.unit,
                    "first": move.first,
                    "second": move.second,
                    "change": move.change,
                    "rows": move.behind.rows,
                    "events": dict(move.behind.topics),
                    "differences": [asdict(each) for each in move.behind.differences],
                }
                for move in self.moves
            ],
        }


def difference(
    builds: Builds, first: str, second: str, names: Sequence[str] = (), limit: int = 5, *, policy: Policy = DEFAULT
) -> BuildDifference:
    """Compare the KPIs of two builds, all where no names are given; up to `limit` rows are named behind each.

    Raises:
        NoSuchBuildError: there is no build of one of the names.
        UnknownKpiError: there is no KPI of one of the names.
        AnalyticsUnavailableError: there is nothing to read from.
    """
    with builds.comparing(first, second) as compared:
        (one, figures), (other, others) = compared.first, compared.second
        table, other_table = (kpi_table(each, names, policies=[policy]) for each in (figures, others))
        before, after = table.rows[0].figures, other_table.rows[0].figures
        moved = [kpi for kpi in table.kpis if before[kpi.name] != after[kpi.name]]
        behind = compared.moved_rows(moved, limit)
        of_first, of_second = (currencies(each, moved, None, EVERYTHING) for each in (figures, others))
    moves = tuple(
        Move(kpi, before[kpi.name], after[kpi.name], _change(before[kpi.name], after[kpi.name]), rows)
        for kpi, rows in zip(moved, behind, strict=True)
    )
    added_up = {name: Currencies(found.now, of_first[name].now) for name, found in of_second.items()}
    return BuildDifference(one, other, policy, moves, len(table.kpis) - len(moves), added_up)


def _change(before: Figure, after: Figure) -> Figure:
    if before is None or after is None:
        return None
    return after - before if isinstance(before, int) and isinstance(after, int) else Decimal(after) - Decimal(before)
