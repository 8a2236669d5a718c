"""Quarantined messages go out as dead letters, for whoever sent them to see: at least once each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from application.ingest.quarantine import parts_by_size
from application.ports.inbox import Inbox, Quarantined, QuarantineFeed

BATCH = 500

Publish = Callable[[Sequence[tuple[Quarantined, bytes]]], None]
"""Publishes messages with their payloads, each under its quarantine id; on return all of them are kept."""


class DeadLetterFeed:
    """Publishes what was put in quarantine, then marks it; what it did not mark goes out again, under the same id."""

    def __init__(self, inbox: Inbox, feed: QuarantineFeed, publish: Publish, batch_size: int = BATCH) -> None:
        self._inbox = inbox
        self._feed = feed
        self._publish = publish
        self._batch_size = batch_size

    def step(self) -> int:
        """Publish the next messages and mark them; return how many, 0 where none wait.

        Raises:
            StreamUnavailableError, StoreUnavailableError: publishing or reading failed; call again later.
        """
        ids = self._feed.pending(self._batch_size)
        for part in parts_by_size(self._inbox.quarantine(ids) if ids else ()):
            numbers = [message.quarantine_id for message in part]
            payloads = self._inbox.payloads(numbers)
            self._publish([(message, payloads[message.quarantine_id]) for message in part])
            self._feed.mark(numbers)
        return len(ids)

    def waiting(self) -> int:
        """Count the messages that did not go out yet."""
        return self._feed.pending_count()
