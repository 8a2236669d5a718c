"""Event <-> stored JSON: the only place that knows how an event and its metadata are kept.

A stored event is `{"meta": {...}, "data": {...}}` in UTF-8 JSON; its topic (`StockReserved.v1`) stands beside it.
Events of older versions come out as those of today; nobody else sees an old shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from application.aggregates import AGGREGATE_OF_EVENT
from application.errors import PlatformError
from application.upcasting import UPCASTS, Upcast, by_topic, upcaster

E = TypeVar("E")


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where an event comes from.

    `recorded_at` is system time; `causation_id` the message (or event) behind it; `correlation_id` what
    belongs together; `source` names topic, partition and offset, or file and line.
    """

    recorded_at: datetime
    causation_id: str
    correlation_id: str
    source: str
    actor: str | None = None


class _Stored(msgspec.Struct, Generic[E]):
    meta: Metadata
    data: E


class _ToStore(msgspec.Struct, gc=False):
    meta: Metadata
    data: object


class _StoredData(msgspec.Struct, Generic[E]):
    data: E


class Recorded(NamedTuple):
    """A decoded event with its place: global position, stream, version in the stream."""

    position: int
    stream_id: str
    version: int
    event: Any


class UndecodableEventError(PlatformError):
    """A recorded event that no decoder understands; readers stop there, nothing is skipped."""

    def __init__(self, position: int, stream_id: str, version: int, topic: str, reason: str) -> None:
        super().__init__(f"event {stream_id}:{version} ({topic}) at position {position} can't be decoded: {reason}")


class _Decoder(Protocol):
    """Reads a stored event's JSON; what it gives has the event as `data`."""

    def decode(self, buf: bytes, /) -> Any:
        """Return the stored event."""


class _Upcasting:
    """A decoder of an old topic: its events come out in the shape of today."""

    def __init__(self, decoder: _Decoder, to_today: Callable[[Any], Any]) -> None:
        self._decoder = decoder
        self._to_today = to_today

    def decode(self, buf: bytes, /) -> Any:
        """Return the stored event; an upcast that fails makes it one that can't be decoded."""
        stored = self._decoder.decode(buf)
        try:
            stored.data = self._to_today(stored.data)
        except Exception as error:
            raise msgspec.ValidationError(f"its upcast failed: {error!r}") from error
        return stored


class Decoders(NamedTuple):
    """A decoder for each topic: of the event alone, and of the whole with its metadata."""

    data: dict[str, _Decoder]
    whole: dict[str, _Decoder]


def decoders(current: Mapping[str, type], upcasts: Iterable[Upcast]) -> Decoders:
    """Return the decoders of all topics: those of today, which cost nothing more, and those with an upcast.

    Raises:
        InvalidUpcastError: the upcasts contradict each other or the topics of today.
    """
    old = by_topic(upcasts, current)
    made = Decoders({}, {})
    for stored, into in ((_StoredData, made.data), (_Stored, made.whole)):
        for topic, shape in current.items():
            into[topic] = msgspec.json.Decoder(stored[shape])
        for topic, upcast in old.items():
            decoder = msgspec.json.Decoder(stored[upcast.shape])
            into[topic] = _Upcasting(decoder, upcaster(upcast, old))
    return made


EVENT_TYPES: dict[str, type] = {event.TOPIC: event for event in AGGREGATE_OF_EVENT}  # type: ignore[attr-defined]
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not JSON, not UTF-8, or nested without end."""
_ENCODER = msgspec.json.Encoder()
_DATA, _WHOLE = decoders(EVENT_TYPES, UPCASTS)


def known_topics() -> tuple[str, ...]:
    """Return every topic that can be read, each a version of an event, in order."""
    return tuple(sorted(_DATA))


def topics_of(*events: type) -> tuple[str, ...]:
    """Return the topics under which the log may hold these events: of every version."""
    names = {event.TOPIC.rpartition(".v")[0] for event in events}  # type: ignore[attr-defined]
    return tuple(topic for topic in known_topics() if topic.rpartition(".v")[0] in names)


def event_id(stream_id: str, version: int) -> str:
    """Return the id of an event: its stream and version, unique and stable for ever."""
    return f"{stream_id}:{version}"


def encode(event: object, metadata: Metadata) -> bytes:
    """Encode an event for storage."""
    return _ENCODER.encode(_ToStore(metadata, event))


def decode(position: int, stream_id: str, version: int, topic: str, state: bytes) -> Any:
    """Return the domain event.

    Raises:
        UndecodableEventError: the topic is unknown or the JSON does not fit it.
    """
    try:
        return _DATA[topic].decode(state).data
    except KeyError:
        raise UndecodableEventError(position, stream_id, version, topic, "unknown topic") from None
    except UNREADABLE as error:
        raise UndecodableEventError(position, stream_id, version, topic, str(error)) from error


def decode_with_metadata(position: int, stream_id: str, version: int, topic: str, state: bytes) -> tuple[Any, Metadata]:
    """Return the domain event and its metadata; raises as `decode` does."""
    event = decode(position, stream_id, version, topic, state)
    try:
        return event, _WHOLE[topic].decode(state).meta
    except UNREADABLE as error:
        raise UndecodableEventError(position, stream_id, version, topic, str(error)) from error


def describe(event: object) -> str:
    """Return an event's fields as short text for people; absent ones are left out.

    `quantity=10 on_hand=25`; what an event holds many of stands in brackets: `lines=[line_no=1 quantity=2; line_no=2]`.
    """
    values = msgspec.to_builtins(event)
    values.pop("occurred_at", None)
    return _in_words(values)


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_in_words(each)}" for name, each in value.items() if each is not None)
    if isinstance(value, list | tuple):
        return f"[{'; '.join(map(_in_words, value))}]"
    return str(value)
