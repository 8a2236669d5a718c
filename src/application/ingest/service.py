"""Ingest: batches of messages from the stream into the event store, each exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from application.ingest.decision import Decisions, decide_batch, decode_message
from application.ingest.states import States
from application.ports.event_store import (
    Batch,
    ConcurrencyConflictError,
    EventStore,
    StoreUnavailableError,
)
from application.ports.inbox import Balance, Inbox, Outcome, Reason, Receipt
from application.ports.message_stream import MessageStream, Partition, ReceivedMessage

log = logging.getLogger(__name__)

MAX_CACHED_STATES = 200_000


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Messages a batch at most, and how long to wait for the first of one, in seconds."""

    batch_size: int = 4_000
    poll_seconds: float = 0.5


class Ingest:
    """Takes in messages: bronze, events and positions of a batch are one transaction."""

    def __init__(
        self,
        store: EventStore,
        inbox: Inbox,
        stream: MessageStream,
        now: Callable[[], datetime],
        settings: IngestSettings | None = None,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._stream = stream
        self._now = now
        self._settings = settings or IngestSettings()
        self._states = States(store, MAX_CACHED_STATES)
        self._started = False

    def run(self, stop: Event, progress: Callable[[Balance], None] | None = None) -> None:
        """Take in messages until `stop` is set."""
        while not stop.is_set():
            taken = self.step()
            if progress is not None:
                progress(taken)

    def catch_up(self, progress: Callable[[Balance], None] | None = None) -> Balance:
        """Take in all messages that are in the stream now; return what became of those taken."""
        total = Balance(0, 0, 0, 0)
        while self.behind():
            taken = self.step()
            total = Balance(*(a + b for a, b in zip(total, taken, strict=True)))
            if progress is not None:
                progress(taken)
        return total

    def behind(self) -> int:
        """Return how many messages are in the stream beyond the positions."""
        positions = self._inbox.positions()
        return sum(max(0, end - positions.get(p, 0)) for p, end in self._stream.ends().items())

    def step(self) -> Balance:
        """Take in one batch; return what became of its messages (all zero where none came)."""
        if not self._started:
            self._restart()
        messages = self._stream.poll(self._settings.batch_size, self._settings.poll_seconds)
        if not messages:
            return Balance(0, 0, 0, 0)
        try:
            return self._take(messages)
        except ConcurrencyConflictError as conflict:
            log.info("another writer was first, reading on from the recorded positions: %s", conflict)
            self._restart()
            return Balance(0, 0, 0, 0)
        except StoreUnavailableError:
            self._started = False
            raise

    def _restart(self) -> None:
        """Begin at the recorded positions, with nothing remembered."""
        self._states.forget()
        self._stream.seek(self._inbox.positions())
        self._started = True

    def _take(self, messages: Sequence[ReceivedMessage]) -> Balance:
        """Append a batch; where that fails for no known reason, halve it to find the message at fault."""
        try:
            decisions = self._decide(messages)
            return self._append(messages, decisions)
        except (ConcurrencyConflictError, StoreUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up the others
            self._states.forget()
            if len(messages) == 1:
                return self._quarantine_unexpected(messages[0], error)
            log.warning("a batch of %d messages failed, halving it: %r", len(messages), error)
        middle = len(messages) // 2
        first, second = self._take(messages[:middle]), self._take(messages[middle:])
        return Balance(*(a + b for a, b in zip(first, second, strict=True)))

    def _decide(self, messages: Sequence[ReceivedMessage]) -> Decisions:
        decoded = [decode_message(message) for message in messages]
        seen = self._inbox.seen({d.message_id for d in decoded if d.message_id is not None})
        return decide_batch(decoded, seen=seen, load=self._states.load, received_at=self._now())

    def _append(self, messages: Sequence[ReceivedMessage], decisions: Decisions) -> Balance:
        positions = _positions_after(messages)
        self._store.append(Batch(decisions.events, decisions.receipts, positions=positions))
        self._states.keep(decisions.states)
        self._stream.acknowledge(positions)
        return _balance(decisions.receipts)

    def _quarantine_unexpected(self, message: ReceivedMessage, error: Exception) -> Balance:
        decoded = decode_message(message)
        seen = self._inbox.seen([decoded.message_id]) if decoded.message_id else set()
        decoded.reason = Reason("UnexpectedError", f"{type(error).__name__}: {error}".replace("\x00", ""))
        log.error("unexpected error in message %s, put in quarantine", decoded.source, exc_info=error)
        decisions = decide_batch([decoded], seen=seen, load=lambda _: {}, received_at=self._now())
        return self._append([message], decisions)


def _positions_after(messages: Sequence[ReceivedMessage]) -> dict[Partition, int]:
    return {Partition(m.topic, m.partition): m.offset + 1 for m in messages}


def _balance(receipts: Sequence[Receipt]) -> Balance:
    outcomes = [receipt.outcome for receipt in receipts]
    return Balance(
        len(outcomes),
        outcomes.count(Outcome.APPLIED),
        outcomes.count(Outcome.DUPLICATE),
        outcomes.count(Outcome.QUARANTINED),
    )
