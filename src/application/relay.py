"""The relay: recorded events go out to the topic `events`, for whoever builds on the platform.

Each event is a CloudEvents 1.0 message: its id is the event's (`order-10248:3`), the same whenever it is sent
again, so that a receiver recognises a repetition. Events of a stream keep their order: the stream is the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

from application.codec import Metadata, UndecodableEventError, event_id
from application.ports.event_store import Batch, EventStore, RecordedEvent, Tracking
from application.ports.message_stream import MessageStream, OutgoingMessage, OversizedMessageError

RELAY_TOPIC = "events"
CHECKPOINT = "relay"
SOURCE = "dataflow"
BATCH = 5_000
LARGE_BYTES = 512 * 1024
"""A message of more is the last of what is published at once: should it be refused, none has overtaken it."""


class _Stored(msgspec.Struct, frozen=True):
    meta: Metadata
    data: msgspec.Raw


class RelayedEvent(msgspec.Struct, frozen=True):
    """An event as it goes out. `position` is its place in the log, `version` its place in its stream."""

    id: str
    type: str
    subject: str
    position: int
    version: int
    recordedat: str
    causationid: str
    correlationid: str
    origin: str
    data: msgspec.Raw
    specversion: Literal["1.0"] = "1.0"
    source: str = SOURCE
    datacontenttype: str = "application/json"


_DECODER = msgspec.json.Decoder(_Stored)
_ENCODER = msgspec.json.Encoder()


class Relay:
    """Publishes the log after its checkpoint: at least once, in order for each stream."""

    def __init__(self, store: EventStore, stream: MessageStream, batch_size: int = BATCH) -> None:
        self._store = store
        self._stream = stream
        self._batch_size = batch_size

    def step(self) -> int:
        """Publish the next events, then move the checkpoint; return how many, 0 at the end of the log.

        Where it ends between the two, the events go out again, with the same ids.

        Raises:
            UndecodableEventError: an event is not stored JSON; those before it went out.
            OversizedMessageError: the topic takes no message of that size; those before it went out.
            StreamUnavailableError, StoreUnavailableError: publishing or reading failed; call again later.
            ConcurrencyConflictError: another relay moved the checkpoint.
        """
        events = self._store.read(self.checkpoint(), self._batch_size)
        messages: list[OutgoingMessage] = []
        bad: UndecodableEventError | None = None
        for event in events:
            try:
                messages.append(relayed(event))
            except UndecodableEventError as error:
                bad = error
                break
        for start, end in _portions(messages):
            self._publish(events[start:end], messages[start:end])
        if bad is not None:
            raise bad
        return len(messages)

    def checkpoint(self) -> int:
        """Return the position of the last event that went out, 0 before the first."""
        return self._store.checkpoint(CHECKPOINT)

    def _publish(self, events: Sequence[RecordedEvent], messages: Sequence[OutgoingMessage]) -> None:
        try:
            self._stream.publish(messages)
        except OversizedMessageError as error:
            event = events[messages.index(error.message)]
            name = event_id(event.stream_id, event.version)
            raise OversizedMessageError(
                f"event {name} at position {event.position} can't go out: {error}", error.message
            ) from error
        self._store.append(Batch(tracking=Tracking(CHECKPOINT, events[-1].position)))

    def run(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Publish until the end of the log; return how many. Raises as `step` does."""
        done = 0
        while count := self.step():
            done += count
            progress(done)
        return done


def _portions(messages: Sequence[OutgoingMessage]) -> Iterator[tuple[int, int]]:
    """Yield start and end of what is published at once."""
    start = 0
    for end, message in enumerate(messages, 1):
        if end == len(messages) or len(message.payload) > LARGE_BYTES:
            yield start, end
            start = end


def relayed(event: RecordedEvent) -> OutgoingMessage:
    """Return the message that carries an event; raises UndecodableEventError."""
    try:
        stored = _DECODER.decode(event.state)
    except msgspec.MsgspecError as error:
        raise UndecodableEventError(event.position, event.stream_id, event.version, event.topic, str(error)) from error
    message = RelayedEvent(
        id=event_id(event.stream_id, event.version),
        type=f"dataflow.{event.topic}",
        subject=event.stream_id,
        position=event.position,
        version=event.version,
        recordedat=stored.meta.recorded_at.isoformat(),
        causationid=stored.meta.causation_id,
        correlationid=stored.meta.correlation_id,
        origin=stored.meta.source,
        data=stored.data,
    )
    return OutgoingMessage(RELAY_TOPIC, event.stream_id, _ENCODER.encode(message))
