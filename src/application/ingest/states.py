"""The current states of aggregates, folded from their streams and kept in a bounded cache."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from application import codec
from application.aggregates import Aggregate
from application.ports.event_store import ConcurrencyConflictError, EventStore

Versioned = tuple[Any, int]
"""The state of an aggregate (None: it does not exist yet) and the version of its stream."""


class States:
    """Loads the states that a batch needs in one query; those used last stay in memory.

    The cache holds what this process committed, loaded, or is about to commit. Another writer's event makes the
    next append a conflict, or is found by `require_current`; then `forget` is called and the states are loaded
    again. Two generations bound it: when the young one has `capacity`, it becomes the old one, and what was in
    that one and not used since is dropped.
    """

    def __init__(self, store: EventStore, capacity: int) -> None:
        self._store = store
        self._capacity = capacity
        self._young: dict[str, Versioned] = {}
        self._old: dict[str, Versioned] = {}
        self._loaded: set[str] = set()

    def load(self, streams: Mapping[str, Aggregate]) -> dict[str, Versioned]:
        """Return states, those of the streams among them; the caller puts in what follows from its decisions."""
        if len(self._young) >= self._capacity:
            self._young, self._old = {}, self._young
        young, old = self._young, self._old
        missing = set()
        for stream_id in streams:
            if stream_id not in young:
                if stream_id in old:
                    young[stream_id] = old.pop(stream_id)
                else:
                    missing.add(stream_id)
        self._loaded = missing
        events = self._store.load(missing)
        for stream_id in missing:
            young[stream_id] = _fold(streams[stream_id], events.get(stream_id, ()))
        return young

    def require_current(self, versions: Mapping[str, int]) -> None:
        """Check that states which made the domain refuse were not overtaken by another writer.

        A refusal appends nothing, so no conflict would tell that it was decided on an old state.

        Raises:
            ConcurrencyConflictError: the store has events of one of the streams beyond its version.
        """
        doubtful = versions.keys() - self._loaded
        for stream_id, events in self._store.load(doubtful).items():
            if events[-1].version > versions[stream_id]:
                raise ConcurrencyConflictError(f"{stream_id} was changed by another writer")

    def forget(self) -> None:
        """Drop all, so that the next batch loads what is really there."""
        self._young, self._old = {}, {}


def _fold(aggregate: Aggregate, events: Collection[Any]) -> Versioned:
    state: Any = None
    version = 0
    for event in events:
        state = aggregate.evolve(state, codec.decode(*event))
        version = event.version
    return state, version
