"""A build, cut into shards: plain descriptions, which travel as JSON to whatever machine does the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

BuildPurpose = Literal["rebuild", "verify", "as-of", "kept", "live", "left"]
EVENTS_A_SHARD = 30_000
SMALL = 6_000
"""Events of a log that is not worth to be cut."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The events of some streams up to a position: those of `first_stream` and after it, before `end_stream`.

    The last shard has no `end_stream`. A shard may be run twice, and at two places at once: its rows and the
    note that it is done are committed together, once.
    """

    build: str
    number: int
    first_stream: str
    end_stream: str | None
    upto: int


@dataclass(frozen=True, slots=True)
class ShardDone:
    """What came of a shard: its events, the seconds they took, and the peak memory of the process in MB."""

    build: str
    number: int
    events: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A build up to a position of the log, and its shards.

    `recorded_until` is the recorded time that the position stands for, where one was asked for.
    """

    name: str
    purpose: BuildPurpose
    upto: int
    recorded_until: datetime | None
    code_version: str
    shards: tuple[Shard, ...]


def shard_count(upto: int, workers: int) -> int:
    """Return into how many shards to cut a log: of a handy size, and enough to keep all workers busy."""
    if upto < SMALL:
        return 1
    return max(4 * workers, upto // EVENTS_A_SHARD)
