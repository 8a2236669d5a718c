"""How long the messages that were not taken in yet may have waited, told by offsets alone."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

from application.ports.message_stream import Partition

MAX_MARKS = 1_000


class Mark(NamedTuple):
    """Where the partitions in which messages waited ended at a time."""

    at: float
    ends: Mapping[Partition, int]


class Waiting:
    """Bounds the age of the oldest message that waits.

    Each look marks where the partitions end. Once all up to there is taken in, what waits came after that look: so the
    bound is at most one interval between looks too large, also where something waits at every look.
    """

    def __init__(self, since: float | None = None) -> None:
        """`since` is the reading of `time.monotonic` that everything counts from before a first bound is known."""
        self._since = time.monotonic() if since is None else since
        self._marks: deque[Mark] = deque()
        self._lock = Lock()

    def seconds(self, at: float, positions: Mapping[Partition, int], lag: Mapping[Partition, int]) -> float:
        """Return how many seconds before `at` the oldest message came at most, 0 where none waits.

        `at` is a reading of `time.monotonic` from before positions and lag were asked for. Any thread may ask.
        """
        with self._lock:
            return self._look(at, positions, lag)

    def _look(self, at: float, positions: Mapping[Partition, int], lag: Mapping[Partition, int]) -> float:
        waits = {place: count for place, count in lag.items() if count > 0}
        if not waits:
            self._marks.clear()
            self._since = at
            return 0.0
        while self._marks and _passed(self._marks[0], positions, waits):
            self._since = self._marks.popleft().at
        # Where a partition that was never read begins, and so where it ends, isn't known.
        if waits.keys() <= positions.keys():
            self._mark(Mark(at, {place: positions[place] + count for place, count in waits.items()}))
        return at - self._since

    def _mark(self, mark: Mark) -> None:
        if len(self._marks) == MAX_MARKS:
            self._marks = deque(list(self._marks)[::2])
        self._marks.append(mark)


def _passed(mark: Mark, positions: Mapping[Partition, int], waits: Mapping[Partition, int]) -> bool:
    return all(place not in waits or positions.get(place, 0) >= end for place, end in mark.ends.items())
