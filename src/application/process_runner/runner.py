"""The runner of a process: reads the log after its checkpoint, and appends what follows, each event exactly once.

Events, cases and checkpoint of a batch are one transaction. Another writer may be faster: then nothing of the batch
is kept, and it is decided anew, in smaller batches while that goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application import codec
from application.ingest.states import Versioned
from application.ports.cases import Case, CaseBook
from application.ports.event_store import Batch, ConcurrencyConflictError, EventStore, Tracking
from application.process_runner.case_file import CaseFile
from application.process_runner.draft import Draft
from application.processes.cause import Cause

log = logging.getLogger(__name__)

RETRIES = 12
"""Conflicts in a row that are taken for bad luck: from then on somebody else runs the same process."""


@dataclass(slots=True)
class Tally:
    """Events that were read for what a process has to know, those that it acted on, and those that it appended."""

    read: int = 0
    acted_on: int = 0
    followed: int = 0


class Process(Protocol):
    """What a runner runs: it decides about causes on what it knows of the log."""

    name: str
    topics: tuple[str, ...]
    batch_size: int
    began: set[str]
    """Streams that began in what was read; the runner takes them out."""

    def catch_up(self, head: int) -> tuple[int, bool]:
        """Read what is new in the log; return how many events that was, and whether it was all up to `head`."""

    def decide(self, causes: Sequence[Cause], draft: Draft) -> None:
        """Decide about causes, in order, and about what else is due."""

    def state_of(self, stream_id: str) -> Versioned:
        """Return the state of an aggregate that the decisions of this moment concern."""

    def committed(self, draft: Draft) -> None:
        """Take what was appended for known."""


class Runner:
    """Runs one process. There should be one at a time; two do no harm: the store lets only one of them go on."""

    def __init__(self, process: Process, store: EventStore, cases: CaseBook, now: Callable[[], datetime]) -> None:
        self.name = process.name
        self.tally = Tally()
        self._process = process
        self._store = store
        self._case_book = cases
        self._now = now
        self._size = process.batch_size
        self._checkpoint = 0
        self._cases: CaseFile | None = None
        self._again: list[Case] = []

    def step(self) -> int:
        """Act on the next events, and on what waits no longer; return how much it was, 0 where nothing is left.

        The first steps may only read what the process has to know of the log.

        Raises:
            UndecodableEventError: an event that no decoder understands; nothing after it is acted on.
            ConcurrencyConflictError: others were faster again and again, e.g. another runner of this process.
            StoreUnavailableError: the store can't be reached; the batch may or may not be kept.
        """
        for _ in range(RETRIES):
            try:
                return self._step()
            except ConcurrencyConflictError as conflict:
                log.info("%s decides anew: %s", self.name, conflict)
                self._cases = None
                self._size = max(1, self._size // 2)
        raise ConcurrencyConflictError(f"{self.name}: another writer was faster {RETRIES} times in a row")

    def run(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Act until nothing is left to do now; return how much it was. Raises as `step` does."""
        done = 0
        while count := self.step():
            done += count
            progress(done)
        return done

    def checkpoint(self) -> int:
        """Return the position up to which the log was acted on, 0 before the first event."""
        return self._store.checkpoint(self.name)

    def retry_parked(self) -> int:
        """Let the next step try all cases again that the domain refused; return how many there are."""
        self._again = self._opened().parked()
        return len(self._again)

    def _step(self) -> int:
        cases, head, now = self._opened(), self._store.head(), self._now()
        read, all_read = self._process.catch_up(head)
        self.tally.read += read
        if not all_read:
            return read
        events = self._store.read(self._checkpoint, self._size, self._process.topics)
        acted = [Cause(e.position, e.stream_id, e.version, codec.decode(*e)) for e in events]
        touched = self._process.began.union(cause.stream_id for cause in acted)
        due = cases.concerned(touched, now, self._size) + self._again
        draft = Draft(self.name, now, self._process.state_of, cases.open)
        self._process.decide(self._together(due, acted), draft)
        self._append(draft, cases, events[-1].position if events else head)
        self.tally.acted_on += len(acted) + len(due)
        self.tally.followed += len(draft.events)
        # Where a back-order was refused it is out of the way, and those behind it are looked at by the next step.
        return len(acted) + len(due) or len(draft.events) + len(draft.noted)

    def _append(self, draft: Draft, cases: CaseFile, position: int) -> None:
        tracking = Tracking(self.name, position) if position > self._checkpoint else None
        changes = draft.changes()
        if tracking or draft.events or changes:
            self._store.append(Batch(draft.events, tracking=tracking, cases=changes))
        self._checkpoint = max(position, self._checkpoint)
        self._process.began.clear()
        self._again = []
        self._size = min(self._size * 2, self._process.batch_size)
        if changes:
            cases.change(changes)
        self._process.committed(draft)

    def _opened(self) -> CaseFile:
        """Return the open cases; read them, and the checkpoint, where they are not known."""
        if self._cases is None:
            self._checkpoint = self.checkpoint()
            self._cases = CaseFile(self._case_book.cases(self.name))
        return self._cases

    def _together(self, due: Sequence[Case], acted: Sequence[Cause]) -> list[Cause]:
        """Return the causes of cases and the new ones, each once, in the order of the log."""
        causes = {cause.event_id: cause for cause in acted}
        missing = {case.event_id: case for case in due if case.event_id not in causes}
        streams = self._store.load({event_id.rpartition(":")[0] for event_id in missing})
        for stream in streams.values():
            for event in stream:
                event_id = codec.event_id(event.stream_id, event.version)
                if event_id in missing:
                    causes[event_id] = Cause(event.position, event.stream_id, event.version, codec.decode(*event))
        return sorted(causes.values(), key=lambda cause: cause.position)
