"""The quarantine: look at what was set aside, retry it after a fix, or discard it with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from application.errors import PlatformError
from application.ingest.decision import Decisions, decode_message
from application.ingest.states import States
from application.ports.event_store import Batch, ConcurrencyConflictError, EventStore
from application.ports.inbox import (
    Inbox,
    Quarantined,
    QuarantineStatus,
    Reason,
    Settlement,
)
from application.ports.message_stream import POLL_BYTES, ReceivedMessage


class UnknownQuarantinedError(PlatformError):
    """No message in quarantine has this number."""


class AlreadySettledError(PlatformError):
    """The message was retried or discarded before."""


class Retried(NamedTuple):
    """The result of a retry: `reason` is None where the message was applied, else why it stays."""

    quarantine_id: int
    reason: Reason | None


def parts_by_size(messages: Iterable[Quarantined]) -> Iterator[list[Quarantined]]:
    """Yield messages in lists whose payloads fit in memory together: about POLL_BYTES, or a single larger one."""
    part: list[Quarantined] = []
    size = 0
    for message in messages:
        if part and size + message.size > POLL_BYTES:
            yield part
            part, size = [], 0
        part.append(message)
        size += message.size
    if part:
        yield part


class Quarantine:
    """Settles quarantined messages; who did it, when and why is kept with the message.

    `attempts` says how often a retry decides about a message, where others write its stream meanwhile.
    """

    def __init__(self, store: EventStore, inbox: Inbox, now: Callable[[], datetime], attempts: int = 1) -> None:
        self._store = store
        self._inbox = inbox
        self._now = now
        self._attempts = attempts

    def show(self, quarantine_id: int) -> Quarantined:
        """Return one message.

        Raises:
            UnknownQuarantinedError: there is none with this number.
        """
        found = self._inbox.quarantine([quarantine_id])
        if not found:
            raise UnknownQuarantinedError(f"no message {quarantine_id} in quarantine; see `dataflow quarantine list`")
        return found[0]

    def payload(self, quarantine_id: int) -> bytes:
        """Return the payload of a message as received."""
        return self._inbox.payloads([quarantine_id])[quarantine_id]

    def with_payloads(self, messages: Iterable[Quarantined]) -> Iterator[tuple[Quarantined, bytes]]:
        """Yield messages with their payloads, of which few are in memory at a time."""
        for part in parts_by_size(messages):
            payloads = self._inbox.payloads([message.quarantine_id for message in part])
            yield from ((message, payloads[message.quarantine_id]) for message in part)

    def retry(self, ids: Sequence[int], *, actor: str) -> list[Retried]:
        """Retry messages; those of the same key that are still open come along, in their original order.

        Each is decided and appended on its own. One that is refused again stays open; of one that somebody else
        settled meanwhile the reason says so.

        Raises:
            UnknownQuarantinedError, AlreadySettledError: for a number that can't be retried; nothing is done.
            ConcurrencyConflictError: others were first at every attempt; those before it are settled.
        """
        chosen = [self._open(each) for each in ids]
        keys = {(m.topic, m.key) for m in chosen if m.key is not None}
        numbers = {m.quarantine_id for m in chosen}
        everything = self._inbox.quarantine(status=QuarantineStatus.OPEN)
        due = [m for m in everything if m.quarantine_id in numbers or (m.topic, m.key) in keys]
        return [Retried(m.quarantine_id, self._attempt(m, actor)) for m in due]

    def discard(self, ids: Sequence[int], *, actor: str, reason: str) -> None:
        """Discard messages for a reason; they stay in bronze and count as quarantined.

        Raises:
            UnknownQuarantinedError, AlreadySettledError: a number can't be discarded; nothing is done.
        """
        chosen = [self._open(each) for each in dict.fromkeys(ids)]
        now = self._now()
        self._store.append(
            Batch(
                settlements=[
                    Settlement(m.quarantine_id, QuarantineStatus.DISCARDED, actor, reason, now) for m in chosen
                ]
            )
        )

    def _open(self, quarantine_id: int) -> Quarantined:
        message = self.show(quarantine_id)
        if message.status is not QuarantineStatus.OPEN:
            raise AlreadySettledError(f"message {quarantine_id} is {message.status} already, by {message.actor}")
        return message

    def _attempt(self, m: Quarantined, actor: str) -> Reason | None:
        """Retry a message, anew where another writer was first with its stream, or with the message itself."""
        left = self._attempts
        while True:
            left -= 1
            try:
                return self._retry(m, actor)
            except ConcurrencyConflictError:
                if (now := self.show(m.quarantine_id)).status is not QuarantineStatus.OPEN:
                    return Reason(AlreadySettledError.__name__, f"it was {now.status} meanwhile, by {now.actor}")
                if not left:
                    raise

    def _retry(self, m: Quarantined, actor: str) -> Reason | None:
        payload = self.payload(m.quarantine_id)
        decoded = decode_message(ReceivedMessage(m.topic, m.partition, m.offset, m.key, payload))
        if decoded.reason is not None:
            return decoded.reason
        assert decoded.stream_id is not None
        assert decoded.aggregate is not None
        now = self._now()
        decisions = Decisions(States(self._store, 1).load({decoded.stream_id: decoded.aggregate}), now)
        reason = decisions.decide(decoded)
        if reason is None:
            settlement = Settlement(m.quarantine_id, QuarantineStatus.RETRIED, actor, "retried", now)
            self._store.append(Batch(decisions.events, settlements=[settlement]))
        return reason
