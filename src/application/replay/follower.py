"""The live follower: carries the read models from their checkpoint to the end of the log."""

from __future__ import annotations

from collections.abc import Callable

from application.ports.event_store import EventStore
from application.ports.read_model import ReadModel
from application.replay.folding import decode_prefix

Progress = Callable[[int, int], None]
BATCH = 10_000


def _silent(done: int, total: int) -> None:
    """Report nothing."""


class Follower:
    """Reads the log after the checkpoint and applies it, batch by batch, each in one transaction."""

    def __init__(self, events: EventStore, read_model: ReadModel, batch_size: int = BATCH) -> None:
        self._events = events
        self._read_model = read_model
        self._batch_size = batch_size

    def step(self, upto: int | None = None) -> int:
        """Apply the next batch, nothing beyond `upto`; return the number of events applied, 0 when caught up.

        Raises:
            UndecodableEventError: an event that no decoder understands; the events before it are applied.
            CheckpointMovedError: another follower applied these events first; nothing is applied twice.
        """
        after = self._read_model.position()
        events = self._events.read(after, self._batch_size)
        if upto is not None:
            events = [event for event in events if event.position <= upto]
        decoded, error = decode_prefix(events)
        if decoded:
            self._read_model.apply(decoded, after)
        if error is not None:
            raise error
        return len(decoded)

    def run(self, progress: Progress = _silent, upto: int | None = None) -> int:
        """Apply batches until caught up, or up to a position; return how many events. Raises as `step` does.

        `progress(done, total)` is called after every batch, in positions of the log (which has gaps).
        """
        start = self._read_model.position()
        applied = 0
        while count := self.step(upto):
            applied += count
            done = self._read_model.position() - start
            progress(done, max(done, (upto or self._events.head()) - start))
        return applied
