"""The messages as they were received, to be looked up."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol


class ArchivedMessage(NamedTuple):
    """A message, its bytes unchanged, and what became of it; `message_id` names it within all sources."""

    topic: str
    partition: int
    offset: int
    key: str | None
    message_id: str
    outcome: str
    received_at: datetime
    payload: bytes


class Archive(Protocol):
    """Every message that was ever received."""

    def find(self, message_id: str) -> ArchivedMessage | None:
        """Return the message with an id as it came first, not its duplicates; None where there is none.

        Raises:
            StoreUnavailableError: the database can't be reached.
        """
