"""One stream's history: its events in order, and the state that each of them left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from application import codec
from application.aggregates import AGGREGATE_OF_EVENT
from application.ports.event_store import EventStore


class Version(NamedTuple):
    """An event of a stream, by a name that `explain_event` takes, and the state after it."""

    name: str
    version: int
    position: int
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str | None
    source: str | None
    text: str
    state: dict[str, Any]

    @property
    def title(self) -> str:
        """Return what happened, in words: `OrderLineShipped.v2` is `Order line shipped`."""
        name = self.topic.partition(".")[0]
        return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip().capitalize()


def history(store: EventStore, stream_id: str) -> tuple[Version, ...]:
    """Return the versions of a stream, none where there is no such stream.

    Raises:
        UndecodableEventError, StoreUnavailableError: it can't be read.
    """
    versions, state = [], None
    for each in store.load([stream_id]).get(stream_id, []):
        event, meta = codec.decode_with_metadata(*each)
        state = AGGREGATE_OF_EVENT[type(event)].evolve(state, event)
        versions.append(
            Version(
                codec.event_id(stream_id, each.version),
                each.version,
                each.position,
                each.topic,
                event.occurred_at,
                meta.recorded_at,
                meta.actor,
                meta.source,
                codec.describe(event),
                plain(state),
            )
        )
    return tuple(versions)


def changed(versions: Sequence[Version], at: int) -> dict[str, tuple[Any, Any]]:
    """Return the parts of the state that an event changed, in words, with their values before and after it."""
    before, after = _parts(versions[at - 1].state) if at else {}, _parts(versions[at].state)
    return {
        name: (before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    }


def _parts(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state's values by their way to it: `lines 1 shipped`."""
    found: dict[str, Any] = {}
    for name, value in state.items():
        words = str(name).replace("_", " ")
        inner = dict(enumerate(value, 1)) if isinstance(value, list) else value
        if isinstance(inner, dict):
            found |= {f"{words} {rest}": each for rest, each in _parts({str(k): v for k, v in inner.items()}).items()}
        else:
            found[words] = value
    return found


def plain(state: object) -> dict[str, Any]:
    """Return a state as plain values."""
    made = msgspec.to_builtins(state, str_keys=True, enc_hook=str)
    return made if isinstance(made, dict) else {"state": made}
