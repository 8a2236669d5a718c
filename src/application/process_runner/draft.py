"""What a batch of a process decides: events and cases, to be appended in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from application import codec
from application.aggregates import AGGREGATE_OF_COMMAND
from application.ingest.states import Versioned
from application.ports.cases import Case, CaseChanges, CaseStatus
from application.ports.event_store import NewEvent
from application.ports.inbox import Reason
from application.processes.cause import Cause
from domain.shared.refusal import Refusal

MISSING = "AggregateMissing"
"""The code of a case that waits for a stream to begin."""
StateOf = Callable[[str], Versioned]


class RefusedError(Exception):
    """The domain refused one of the commands for a cause; none of them is carried out."""

    def __init__(self, stream_id: str, refusal: Refusal) -> None:
        super().__init__(f"{stream_id}: {refusal}")
        self.stream_id = stream_id
        self.code = refusal.code


class Draft:
    """Decisions on the states of a moment; `states` and `new` are those of the streams that they change."""

    def __init__(self, process: str, recorded_at: datetime, state_of: StateOf, open_cases: dict[str, Case]) -> None:
        self.states: dict[str, Versioned] = {}
        self.new: dict[str, list[Any]] = {}
        self.events: list[NewEvent] = []
        self.noted: dict[str, Case] = {}
        self.closed: dict[str, None] = {}
        self._process = process
        self._recorded_at = recorded_at
        self._state_of = state_of
        self._open_cases = open_cases

    def carry_out(self, commands: Iterable[Any], causation_id: str, correlation_id: str) -> list[tuple[str, Any]]:
        """Let the domain decide all commands; return the events with their streams.

        Raises:
            RefusedError: one was refused; nothing is changed.
        """
        states: dict[str, Versioned] = {}
        decided: list[tuple[str, int, Any]] = []
        for command in commands:
            aggregate = AGGREGATE_OF_COMMAND[type(command)]
            stream_id = aggregate.stream_of(command)
            state, version = states.get(stream_id) or self.states.get(stream_id) or self._state_of(stream_id)
            try:
                events = aggregate.decide(state, command)
            except Refusal as refusal:
                raise RefusedError(stream_id, refusal) from refusal
            for event in events:
                version += 1
                decided.append((stream_id, version, event))
                state = aggregate.evolve(state, event)
            states[stream_id] = state, version
        self.states.update(states)
        self._keep(decided, causation_id, correlation_id)
        return [(stream_id, event) for stream_id, _, event in decided]

    def done(self, cause: Cause) -> None:
        """Note that a cause needs nothing more; a case of it is closed."""
        if cause.event_id in self._open_cases or cause.event_id in self.noted:
            self.noted.pop(cause.event_id, None)
            self.closed[cause.event_id] = None

    def await_stream(self, cause: Cause, stream_id: str) -> None:
        """Let a cause wait until a stream begins."""
        self._note(cause, CaseStatus.WAITING, stream_id, Reason(MISSING, f"{stream_id} does not exist yet"))

    def await_time(self, cause: Cause, reason: Reason, delay: timedelta) -> None:
        """Let a cause wait for some time."""
        self._note(cause, CaseStatus.WAITING, cause.stream_id, reason, self._recorded_at + delay)

    def park(self, cause: Cause, stream_id: str, reason: Reason) -> None:
        """Set a cause aside with the reason."""
        self._note(cause, CaseStatus.PARKED, stream_id, reason)

    def changes(self) -> CaseChanges | None:
        """Return what is to be noted of cases."""
        if not self.noted and not self.closed:
            return None
        return CaseChanges(self._process, tuple(self.noted.values()), tuple(self.closed))

    def attempts(self, cause: Cause) -> int:
        """Return how often it was tried to carry out a cause before."""
        case = self._open_cases.get(cause.event_id)
        return case.attempts if case else 0

    def _keep(self, decided: list[tuple[str, int, Any]], causation_id: str, correlation_id: str) -> None:
        source = f"process:{self._process}"
        metadata = codec.Metadata(self._recorded_at, causation_id, correlation_id, source, self._process)
        for stream_id, version, event in decided:
            self.events.append(NewEvent(stream_id, version, event.TOPIC, codec.encode(event, metadata)))
            self.new.setdefault(stream_id, []).append(event)

    def _note(
        self, cause: Cause, status: CaseStatus, stream_id: str, reason: Reason, due_at: datetime | None = None
    ) -> None:
        attempts = self.attempts(cause) + 1
        self.closed.pop(cause.event_id, None)
        self.noted[cause.event_id] = Case(
            self._process,
            cause.event_id,
            cause.position,
            status,
            stream_id,
            *reason,
            attempts,
            self._recorded_at,
            due_at,
        )
