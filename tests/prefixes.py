"""As-of builds held against an independent fold of the log's prefix, KPI by KPI."""

from __future__ import annotations

from adapters.postgres.database import open_pool
from adapters.postgres.read_model.builds import PostgresBuilds
from application.projections.registry import SUBJECTS
from application.queries.figures import kpi_table
from tests.independent_fold import NAMES, figures, read_raw
from tests.integration.told import GOLD, silent


def require_prefixes_to_agree(conninfo: str, positions: int) -> None:
    """Build the star as of some positions, the last one the log's end; each figure must be the prefix's."""
    log = read_raw(conninfo)
    with open_pool(conninfo, size=2) as pool:
        builds = PostgresBuilds(conninfo, pool, SUBJECTS, GOLD)
        for number in range(1, positions + 1):
            position = log[-1].position * number // positions
            prefix = [event for event in log if event.position <= position]
            name = f"prefix_{number}"
            assert builds.make(name, position, silent).events == len(prefix)
            (row,) = kpi_table(builds.open(name)[1], NAMES).rows
            assert row.figures == figures(prefix), f"as of position {position}"
            builds.drop(name)
