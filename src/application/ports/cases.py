"""What a process could not carry out: the event behind it, what it waits for, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class CaseStatus(StrEnum):
    """Whether a case goes on by itself."""

    WAITING = "waiting"
    PARKED = "parked"


class Case(NamedTuple):
    """An event that a process could not carry out as a whole; nothing of it was carried out.

    It is waiting for the stream to begin, or for a time; or it is parked, because the domain refused a command:
    `code` and `detail` say which and why. `position` is the event's place in the log.
    """

    process: str
    event_id: str
    position: int
    status: CaseStatus
    stream_id: str
    code: str
    detail: str
    attempts: int
    noted_at: datetime
    due_at: datetime | None = None


class CaseChanges(NamedTuple):
    """What one transaction notes: cases opened or changed, and events whose case is closed."""

    process: str
    noted: tuple[Case, ...] = ()
    closed: tuple[str, ...] = ()


class CaseBook(Protocol):
    """The cases of all processes. It is written by `EventStore.append`, in the events' transaction."""

    def cases(
        self, process: str, status: CaseStatus | None = None, *, after: int = 0, limit: int | None = None
    ) -> list[Case]:
        """Return a process's cases whose events stand after a position of the log, in the order of the log."""

    def counts(self, process: str) -> Mapping[CaseStatus, int]:
        """Count a process's cases; each status is there."""
