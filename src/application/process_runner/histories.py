"""Streams loaded for one batch: the state of each, and its history as a process needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from application import codec
from application.aggregates import Aggregate
from application.ingest.states import Versioned
from application.ports.event_store import EventStore


class History(Protocol):
    """What happened in a stream, event by event."""

    def note(self, event: Any) -> None:
        """Take in the next event."""


H = TypeVar("H", bound=History)


class Loaded(NamedTuple, Generic[H]):
    """A stream that exists."""

    versioned: Versioned
    history: H


def load(
    store: EventStore, streams: Collection[str], aggregate: Aggregate, begin: Callable[[str], H]
) -> dict[str, Loaded[H]]:
    """Load those of the streams that exist, in one query; `begin` gets the correlation id of the first event."""
    found: dict[str, Loaded[H]] = {}
    for stream_id, events in store.load(streams).items():
        first, metadata = codec.decode_with_metadata(*events[0])
        history = begin(metadata.correlation_id)
        state: Any = None
        for number, recorded in enumerate(events):
            event = codec.decode(*recorded) if number else first
            state = aggregate.evolve(state, event)
            history.note(event)
        found[stream_id] = Loaded((state, events[-1].version), history)
    return found
