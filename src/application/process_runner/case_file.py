"""The open cases of one process in memory: by the stream they concern, and by the time they are due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from application.ports.cases import Case, CaseChanges, CaseStatus


class CaseFile:
    """Mirrors the cases that the store keeps."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self.open: dict[str, Case] = {}
        self._by_stream: dict[str, set[str]] = {}
        self._timed: set[str] = set()
        for case in cases:
            self._enter(case)

    def concerned(self, streams: Iterable[str], now: datetime, limit: int) -> list[Case]:
        """Return the cases that wait for, or were refused by, one of the streams; and some whose time has come."""
        ids = {event_id for stream_id in streams for event_id in self._by_stream.get(stream_id, ())}
        due = (event_id for event_id in self._timed if (self.open[event_id].due_at or now) <= now)
        return _in_order(self.open[event_id] for event_id in ids.union(islice(due, limit)))

    def parked(self) -> list[Case]:
        """Return the cases that the domain refused."""
        return _in_order(case for case in self.open.values() if case.status is CaseStatus.PARKED)

    def change(self, changes: CaseChanges) -> None:
        """Follow a change that the store keeps."""
        for event_id in changes.closed:
            self._leave(event_id)
        for case in changes.noted:
            self._leave(case.event_id)
            self._enter(case)

    def _enter(self, case: Case) -> None:
        self.open[case.event_id] = case
        self._by_stream.setdefault(case.stream_id, set()).add(case.event_id)
        if case.due_at is not None:
            self._timed.add(case.event_id)

    def _leave(self, event_id: str) -> None:
        case = self.open.pop(event_id, None)
        if case is None:
            return
        self._timed.discard(event_id)
        ids = self._by_stream[case.stream_id]
        ids.discard(event_id)
        if not ids:
            del self._by_stream[case.stream_id]


def _in_order(cases: Iterable[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: (case.position, case.event_id))
