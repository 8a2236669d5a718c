"""Which messages of a batch were received before: asked only while it is likely that some were."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from application.ingest.decision import Decoded
from application.ports.inbox import Inbox

CLEAN_BATCHES = 8
"""After so many batches without a duplicate, the next ones are taken to hold none."""


class Duplicates:
    """Asks the inbox for duplicates, or trusts that there are none.

    Trust costs nothing but time: the store takes no message id twice, so a duplicate that was not recognised is a
    conflict, nothing of its batch is kept, and it is decided anew by one who asks again.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._clean = 0

    def among(self, decoded: Sequence[Decoded], in_flight: Collection[str]) -> Collection[str]:
        """Return ids that were received before, those of the batch that is being committed among them."""
        if self._clean >= CLEAN_BATCHES:
            return in_flight
        seen = self._inbox.seen({each.message_id for each in decoded if each.message_id is not None})
        self._clean = 0 if seen else self._clean + 1
        return seen.union(in_flight) if in_flight else seen

    def suspect(self) -> None:
        """Ask again from now on."""
        self._clean = 0
