"""What a benchmark gives: a value, its baseline, and their ratio, all of one run."""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from adapters.postgres.database import ensure_database
from adapters.postgres.migrate import migrate
from adapters.postgres.server import EmbeddedPostgres

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `ratio` is value / baseline value; `detail` says what was done, with its parts."""

    name: str
    value: float
    unit: str
    baseline: str
    ratio: float | None
    detail: dict[str, object] = field(default_factory=dict)


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """Start a server of its own with fsync on; the function given makes a fresh database, and names it."""
    with tempfile.TemporaryDirectory(prefix="dataflow-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder))

        def fresh() -> str:
            name = f"bench_{next(_NUMBERS)}"
            ensure_database(postgres.conninfo(), name)
            migrate(postgres.conninfo(name))
            return postgres.conninfo(name)

        try:
            yield fresh
        finally:
            postgres.stop()


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes, by the wall clock."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def spread(values: list[float]) -> list[float]:
    """Return the values rounded, in the order they were measured."""
    return [round(value) for value in values]


def machine() -> dict[str, object]:
    """Say what was measured on."""
    return {"cores": os.cpu_count(), "python": ".".join(map(str, sys.version_info[:3]))}
