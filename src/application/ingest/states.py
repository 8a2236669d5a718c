"""The current states of aggregates, folded from their streams and kept in a bounded cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from application import codec
from application.aggregates import Aggregate
from application.ports.event_store import ConcurrencyConflictError, EventStore


class Versioned(NamedTuple):
    """The state of an aggregate (None: it does not exist yet) at a version of its stream."""

    state: Any
    version: int


NOTHING_YET = Versioned(None, 0)


class States:
    """Loads the states that a batch needs in one query; those used last stay in memory.

    The cache holds what this process committed or loaded. Another writer's event makes the next append a
    conflict, or is found by `require_current`; then `forget` is called and the states are loaded again.
    """

    def __init__(self, store: EventStore, capacity: int) -> None:
        self._store = store
        self._capacity = capacity
        self._cache: OrderedDict[str, Versioned] = OrderedDict()
        self._remembered: dict[str, int] = {}

    def load(self, streams: Mapping[str, Aggregate]) -> dict[str, Versioned]:
        """Return the state of each stream."""
        found = {s: self._cache[s] for s in streams if s in self._cache}
        self._remembered = {stream_id: state.version for stream_id, state in found.items()}
        missing = [s for s in streams if s not in found]
        loaded = self._store.load(missing)
        for stream_id in missing:
            state: Any = None
            version = 0
            evolve = streams[stream_id].evolve
            for event in loaded.get(stream_id, ()):
                state = evolve(state, codec.decode(*event))
                version = event.version
            found[stream_id] = Versioned(state, version)
        return found

    def require_current(self, stream_ids: Collection[str]) -> None:
        """Check that the states given out by the last `load` were not overtaken by another writer.

        A refusal appends nothing, so no conflict would tell that it was decided on an old state.

        Raises:
            ConcurrencyConflictError: the store has events of one of the streams that were not known here.
        """
        doubtful = {stream_id for stream_id in stream_ids if stream_id in self._remembered}
        for stream_id, events in self._store.load(doubtful).items():
            if events[-1].version > self._remembered[stream_id]:
                raise ConcurrencyConflictError(f"{stream_id} was changed by another writer")

    def keep(self, states: Mapping[str, Versioned]) -> None:
        """Remember states after their events were committed."""
        for stream_id, state in states.items():
            self._cache[stream_id] = state
            self._cache.move_to_end(stream_id)
        while len(self._cache) > self._capacity:
            self._cache.popitem(last=False)

    def forget(self) -> None:
        """Drop all, so that the next batch loads what is really there."""
        self._cache.clear()
