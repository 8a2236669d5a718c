"""The append-only log of events, and the transaction that ties messages, events and positions together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from application.errors import PlatformError
from application.ports.cases import CaseChanges
from application.ports.inbox import Receipt, Settlement
from application.ports.message_stream import Partition

READ_BYTES = 16 * 1024 * 1024
"""Bytes of states that one `EventStore.read` returns at most, unless the first alone has more."""


class NewEvent(NamedTuple):
    """An event to append; `version` counts from 1 in its stream; `state` is the stored JSON."""

    stream_id: str
    version: int
    topic: str
    state: bytes


class RecordedEvent(NamedTuple):
    """An event of the log; positions grow in commit order, with gaps."""

    position: int
    stream_id: str
    version: int
    topic: str
    state: bytes


class Tracking(NamedTuple):
    """How far a named reader of the log has come."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction appends: all of it, or nothing.

    `after` returns once the batch before this one is durable, and raises where it isn't: that error passes, and
    nothing of this batch is kept. A store may begin with what nobody sees and no order depends on before it asks.
    `reached` is where positions stand at least: that they went back is a conflict.
    """

    events: Sequence[NewEvent] = ()
    receipts: Sequence[Receipt] = ()
    settlements: Sequence[Settlement] = ()
    positions: Mapping[Partition, int] = field(default_factory=dict)
    reached: Mapping[Partition, int] = field(default_factory=dict)
    tracking: Tracking | None = None
    cases: CaseChanges | None = None
    after: Callable[[], None] | None = None


class EventStore(Protocol):
    """Streams of events with optimistic concurrency and one global order."""

    def append(self, batch: Batch) -> None:
        """Append a batch atomically; on return it is durable.

        Raises:
            ConcurrencyConflictError: a version exists already, a message was recorded by somebody else,
                the tracking position does not move forward, or positions went back. Nothing of the batch is kept.
            StoreUnavailableError: the store can't be reached; the batch may or may not be kept.
            StoreRefusedError: the store takes no batch at all.
        """

    def load(self, stream_ids: Collection[str]) -> dict[str, list[RecordedEvent]]:
        """Return the events of the streams that exist, in version order, in one query."""

    def read(self, after: int, limit: int, topics: Collection[str] = ()) -> list[RecordedEvent]:
        """Return up to `limit` events with a position above `after`, in order; of the given topics, if any.

        Fewer come where they are large, so that a reader's memory has a bound: states of READ_BYTES in all, but
        one event at least. Only an empty answer means that there are no more.
        An event whose transaction is still open is never passed over: a reader that goes on from the last
        position it saw gets every event exactly once.
        """

    def head(self) -> int:
        """Return the position of the last event, 0 where there is none."""

    def checkpoint(self, name: str) -> int:
        """Return the position that a reader's tracking last moved to, 0 where there is none."""


class ConcurrencyConflictError(PlatformError):
    """Somebody else appended first; load the streams again and decide anew."""


class StoreRefusedError(PlatformError):
    """The event store takes nothing, whatever it is, until somebody mends it: a right or a table is missing."""


class StoreUnavailableError(PlatformError):
    """The event store can't be reached."""
