"""Real data: the star as of some positions is what plain Python makes of the log's prefix, KPI by KPI."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.home import Home
from tests.prefixes import require_prefixes_to_agree
from tests.soak import SOAK

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATAFLOW_REFERENCE_DATA", PROJECT.parent / "shared" / "data"))
POSITIONS = 10 if SOAK else 3
SOURCES = {"northwind": ("northwind/csv", "northwind"), "dataco": ("dataco", "dataco")}


@pytest.mark.parametrize("source", SOURCES)
def test_the_star_as_of_a_position_is_what_the_prefix_of_the_log_says(source: str, tmp_path: Path) -> None:
    folder, mapping = DATA / SOURCES[source][0], PROJECT / "examples" / SOURCES[source][1]
    if not folder.is_dir() or not mapping.is_dir():
        pytest.skip(f"reference data or its mapping absent: {folder}, {mapping} (DATAFLOW_REFERENCE_DATA)")
    with closing(Home(tmp_path / "home").keep_server()) as home:
        home.do("ingest", "files", folder, "--mapping", mapping)
        require_prefixes_to_agree(home.conninfo(), POSITIONS)
