"""What was received: every message as it came, what became of it, and those in quarantine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from application.ports.message_stream import Partition


class Outcome(StrEnum):
    """What became of a received message."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


class Reason(NamedTuple):
    """Why a message is in quarantine: a stable code and a sentence for people."""

    code: str
    detail: str


class Receipt(NamedTuple):
    """A message as received, with its outcome.

    `message_id` is None where none could be read; `source` says where it came from, for people.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    payload: bytes
    message_id: str | None
    outcome: Outcome
    received_at: datetime
    stream_id: str | None = None
    source: str = ""
    reason: Reason | None = None


class QuarantineStatus(StrEnum):
    """Where a quarantined message stands."""

    OPEN = "open"
    RETRIED = "retried"
    DISCARDED = "discarded"


class Settlement(NamedTuple):
    """The end of a quarantined message: retried with success, or discarded by somebody, with a reason."""

    quarantine_id: int
    status: QuarantineStatus
    actor: str
    note: str
    settled_at: datetime


class Quarantined(NamedTuple):
    """A message in quarantine; of its payload, which may be large, the number of bytes."""

    quarantine_id: int
    status: QuarantineStatus
    code: str
    detail: str
    source: str
    topic: str
    partition: int
    offset: int
    key: str | None
    stream_id: str | None
    message_id: str | None
    size: int
    received_at: datetime
    actor: str | None
    note: str | None
    settled_at: datetime | None


class Balance(NamedTuple):
    """Messages received and what became of them; `received = applied + duplicate + quarantined` always holds."""

    received: int
    applied: int
    duplicate: int
    quarantined: int

    @property
    def holds(self) -> bool:
        """Whether the balance holds."""
        return self.received == self.applied + self.duplicate + self.quarantined

    def plus(self, other: Balance) -> Balance:
        """Return the balance of both together."""
        return Balance(*(a + b for a, b in zip(self, other, strict=True)))


class Inbox(Protocol):
    """The record of what was received. It is written by `EventStore.append`, in the events' transaction."""

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset to go on from for each partition that was ever read."""

    def seen(self, message_ids: Collection[str]) -> set[str]:
        """Return those ids that were received before, whatever their outcome."""

    def balance(self, source: str | None = None) -> Balance:
        """Count what was received: all of it, or what one source (a CloudEvents `source`) sent."""

    def waiting(self) -> dict[str, int]:
        """Count the messages open in quarantine by the code of their reason."""

    def quarantine(
        self,
        ids: Sequence[int] = (),
        *,
        status: QuarantineStatus | None = None,
        code: str | None = None,
        limit: int | None = None,
    ) -> list[Quarantined]:
        """Return quarantined messages in the order they were received: those with the ids, or all that fit."""

    def payloads(self, quarantine_ids: Collection[int]) -> dict[int, bytes]:
        """Return the payloads of quarantined messages as received, by id: of few at a time, since each may be large."""


class QuarantineFeed(Protocol):
    """Hands quarantined messages on, to be published as dead letters: at least once each, none passed over.

    Each has a mark of its own. Ids are given before transactions commit, so a position among them could pass
    over a message that was set aside first but committed later.
    """

    def pending(self, limit: int) -> list[int]:
        """Return up to `limit` ids of quarantined messages that were not handed on, in order."""

    def pending_count(self) -> int:
        """Count the messages that were not handed on."""

    def mark(self, quarantine_ids: Collection[int]) -> None:
        """Note durably that messages were handed on; `pending` returns them no more.

        Raises:
            StoreUnavailableError: the store can't be reached; the messages may or may not be marked.
        """
