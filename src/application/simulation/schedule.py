"""Business time: processes that sleep until a moment, wake, and give out commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from application.simulation.settings import Timed

Process = Iterator[datetime]
"""A process yields the moment at which it wants to go on."""


class Schedule:
    """A discrete-event simulation: of all processes, the one that is due first goes on."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._due: list[tuple[datetime, int, Process]] = []
        self._numbers = count()
        self._outbox: list[Timed] = []

    def start(self, process: Process, at: datetime | None = None) -> None:
        """Let a process begin at a moment, by default now."""
        heappush(self._due, (at or self.now, next(self._numbers), process))

    def emit(self, command: Any, correlation_id: str) -> None:
        """Give out a command now."""
        self._outbox.append(Timed(self.now, command, correlation_id))

    def after(self, chance: Random, shortest: float, longest: float) -> datetime:
        """Return a moment between so many hours from now, whole seconds away."""
        return self.now + timedelta(seconds=int(chance.uniform(shortest, longest) * 3600))

    def run(self, until: datetime | None = None) -> Iterator[Timed]:
        """Yield the commands in order of time, to the end or before the given moment."""
        yield from self._given_out()
        due = self._due
        while due and (until is None or due[0][0] < until):
            self.now, _, process = heappop(due)
            wake = next(process, None)
            if wake is not None:
                heappush(due, (max(wake, self.now), next(self._numbers), process))
            yield from self._given_out()

    def _given_out(self) -> list[Timed]:
        given, self._outbox = self._outbox, []
        return given
