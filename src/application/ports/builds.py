"""Builds of the read models that are kept beside the live one: the star as it was known at some time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from application.errors import InvalidRequestError
from application.ports.analytics import Analytics
from application.ports.listings import Star
from application.ports.read_model import PhaseProgress
from application.queries.definitions import Kpi
from application.replay.certificate import Difference

LIVE = "live"
"""The name that stands for the live read models wherever a build is named."""


@dataclass(frozen=True, slots=True)
class KeptBuild:
    """A build: true up to `position`, the last event recorded by `recorded_until` where a time was asked for.

    `ready` tells whether it is complete and its schemas are there. The live read models are one too, named `live`,
    without times of their own.
    """

    name: str
    purpose: str
    position: int
    recorded_until: datetime | None
    code_version: str | None
    ready: bool
    started_at: datetime | None
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeBuild:
    """A build that was just made; `ahead` of its events name a later recorded time than the one asked for.

    Positions follow the order of commits. A clock that ran ahead gave such an event its time; it was in the log
    before the last event that counts, so it belongs to what was known.
    """

    build: KeptBuild
    events: int
    ahead: int


class MovedRows(NamedTuple):
    """What moved a KPI between two builds.

    `rows` counts the rows that entered, left or changed in what the KPI reads; `topics` the events of their
    streams, and of the catalog's members that changed rows are of, between the two builds' positions, by topic,
    the most frequent first; `differences` names the first rows, `live` being the first build's row and `rebuilt`
    the second's, each with those events.
    """

    rows: int
    topics: tuple[tuple[str, int], ...]
    differences: tuple[Difference, ...]


class Comparison(NamedTuple):
    """Two builds, each with the figures in it, all of one moment.

    `moved_rows(kpis, limit)` gives, for each KPI, what moved it from the first to the second; up to `limit` rows are
    named.
    """

    first: tuple[KeptBuild, Analytics]
    second: tuple[KeptBuild, Analytics]
    moved_rows: Callable[[Sequence[Kpi], int], list[MovedRows]]


class Builds(Protocol):
    """Makes, lists, compares and drops kept builds. Live tables, and builds of rebuilds, are never touched."""

    def make(self, name: str, as_of: datetime | int, progress: PhaseProgress, *, workers: int = 0) -> MadeBuild:
        """Build the star from the events up to a position, or recorded up to a time, and keep it under a name.

        `workers` processes load it, or this one where there are none. What a killed one left is gone on with.
        `progress(phase, done, total)` counts events.

        Raises:
            InvalidBuildNameError, BuildExistsError, InvalidMomentError: the name or the moment can't be used.
            RebuildRunningError: another rebuild or verification is running.
            UndecodableEventError: an event that no decoder understands.
            RowRefusedError: a row does not keep a constraint of its table.
            ReadModelUnavailableError: the database can't be reached.
        """

    def all(self) -> list[KeptBuild]:
        """Return the kept builds, the oldest first."""

    def drop(self, name: str) -> None:
        """Drop a kept build.

        Raises:
            NoSuchBuildError: there is none of that name.
            InvalidBuildNameError: it is the name of the live read models.
            DependentObjectsError: what others made hangs on its tables; nothing is dropped.
            SchemaInTheWayError: its schemas are somebody else's by now; nothing is dropped.
        """

    def open(self, name: str) -> tuple[KeptBuild, Star]:
        """Return a build, or the live read models, with the figures in it.

        Raises:
            NoSuchBuildError: there is none of that name that was completed.
            SchemaInTheWayError: its schemas are somebody else's by now.
        """

    def comparing(self, first: str, second: str) -> AbstractContextManager[Comparison]:
        """Give two builds to compare, the live read models as they are now, whatever is followed meanwhile.

        Raises:
            NoSuchBuildError, SchemaInTheWayError: one of the names can't be opened.
            AnalyticsUnavailableError: the live read models can't be read.
        """


class InvalidBuildNameError(InvalidRequestError):
    """A build's name is not one that schemas can be named after."""


class BuildExistsError(InvalidRequestError):
    """There is a build of that name."""


class NoSuchBuildError(InvalidRequestError):
    """There is no build of that name."""


class InvalidMomentError(InvalidRequestError):
    """A position or time that the log does not reach, or that is before all of it."""
