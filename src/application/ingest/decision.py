"""From one batch of received messages to what is appended: pure but for the states it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from application import codec
from application.aggregates import Aggregate
from application.ingest.messages import (
    InvalidMessageError,
    decode_command,
    decode_envelope,
    require_storable,
)
from application.ingest.sound import decode_sound
from application.ingest.states import Versioned
from application.ports.event_store import NewEvent
from application.ports.inbox import Balance, Outcome, Reason, Receipt
from application.ports.message_stream import ReceivedMessage
from domain.shared.refusal import Refusal

CLOCK_TOLERANCE = timedelta(days=1)
"""How far a source's clock may be ahead before its business times are taken for a mistake."""
# Made from a tuple, a named tuple takes half the time.
_receipt = partial(tuple.__new__, Receipt)
_new_event = partial(tuple.__new__, NewEvent)
# Looked up once: an enum's member takes a while to find by its class.
_APPLIED, _DUPLICATE, _QUARANTINED = Outcome.APPLIED, Outcome.DUPLICATE, Outcome.QUARANTINED


class Decoded(msgspec.Struct, gc=False):
    """A received message, as far as it could be decoded: a command for a stream, or a reason why not.

    The envelope is a `CloudEvent`, or has its attributes.
    """

    message: ReceivedMessage
    envelope: Any = None
    message_id: str | None = None
    aggregate: Aggregate | None = None
    command: Any = None
    stream_id: str | None = None
    reason: Reason | None = None
    duplicate: bool = False

    @property
    def source(self) -> str:
        """Where the message came from: file and line, or topic, partition and offset."""
        if self.envelope is not None and self.envelope.originfile is not None:
            return str(self.envelope.origin)
        topic, partition, offset, *_ = self.message
        return f"{topic}/{partition}@{offset}"

    def metadata(self, recorded_at: datetime) -> codec.Metadata:
        """Return the metadata of the events that the message causes."""
        envelope, message_id = self.envelope, self.message_id
        assert message_id is not None
        return codec.Metadata(
            recorded_at, message_id, envelope.correlationid or message_id, self.source, envelope.actor
        )


def decode_message(message: ReceivedMessage) -> Decoded:
    """Decode a message; what is wrong with it becomes its reason."""
    sound = decode_sound(message.payload)
    if sound is None:
        return _decode_in_steps(message)
    envelope, message_id, stream_id = sound
    return Decoded(message, envelope, message_id, envelope.message_type.aggregate, envelope.data, stream_id)


def decoded_or_bare(message: ReceivedMessage) -> Decoded:
    """Decode a message that failed before; where decoding is what fails, leave it as bytes."""
    try:
        return decode_message(message)
    except Exception:  # noqa: BLE001 - the error is known already, it is the message's reason
        return Decoded(message)


def _decode_in_steps(message: ReceivedMessage) -> Decoded:
    """Decode as far as a message can be decoded, so that its reason is the first thing that is wrong."""
    decoded = Decoded(message)
    try:
        decoded.envelope = decode_envelope(message.payload)
        decoded.message_id = decoded.envelope.message_id
        require_storable(message.payload)
        message_type, decoded.command, decoded.stream_id = decode_command(decoded.envelope)
        decoded.aggregate = message_type.aggregate
    except InvalidMessageError as error:
        decoded.reason = error.reason
    return decoded


class Decisions:
    """What a batch received at one time decides: events, and a receipt for each message; `states` moves along.

    `message_ids` are new with the batch, for those that are decided before its commit is through. `refused` has
    the streams whose state made the domain refuse a message, each with its version then.
    """

    def __init__(
        self, states: dict[str, Versioned], received_at: datetime, message_ids: Collection[str] = frozenset()
    ) -> None:
        self.states = states
        self.received_at = received_at
        self.message_ids = message_ids
        self.events: list[NewEvent] = []
        self.receipts: list[Receipt] = []
        self.refused: dict[str, int] = {}
        self._duplicates = self._quarantined = 0
        self._latest = received_at + CLOCK_TOLERANCE

    def balance(self) -> Balance:
        """Count what became of the messages."""
        received = len(self.receipts)
        applied = received - self._duplicates - self._quarantined
        return Balance(received, applied, self._duplicates, self._quarantined)

    def take(self, decoded: Decoded) -> None:
        """Decide about one message and keep its receipt."""
        reason = None
        if decoded.duplicate:
            outcome = _DUPLICATE
            self._duplicates += 1
        elif reason := decoded.reason or self.decide(decoded):
            outcome = _QUARANTINED
            self._quarantined += 1
        else:
            outcome = _APPLIED
        topic, partition, offset, key, payload, _ = decoded.message
        if key is not None and "\x00" in key:
            key = key.replace("\x00", "\ufffd")
        source, stream_id, message_id = decoded.source if reason else "", decoded.stream_id, decoded.message_id
        received_at = self.received_at
        self.receipts.append(
            _receipt(
                (topic, partition, offset, key, payload, message_id, outcome, received_at, stream_id, source, reason)
            )
        )

    def decide(self, decoded: Decoded) -> Reason | None:
        """Let the domain decide; return the reason where it refuses."""
        aggregate, stream_id, command = decoded.aggregate, decoded.stream_id, decoded.command
        assert aggregate is not None
        assert stream_id is not None
        if command.occurred_at > self._latest:
            when = command.occurred_at.isoformat()
            return Reason("TimeOutOfRange", f"{stream_id}: occurred_at {when} lies in the future")
        state, version = self.states[stream_id]
        try:
            events = aggregate.decide(state, command)
        except Refusal as refusal:
            self.refused.setdefault(stream_id, version)
            return Reason(refusal.code, f"{stream_id}: {refusal}")
        if events:
            metadata, evolve = decoded.metadata(self.received_at), aggregate.evolve
            for event in events:
                version += 1
                self.events.append(_new_event((stream_id, version, event.TOPIC, codec.encode(event, metadata))))
                state = evolve(state, event)
            self.states[stream_id] = state, version
        return None


def decide_batch(
    decoded: Sequence[Decoded],
    *,
    seen: Collection[str],
    load: Callable[[dict[str, Aggregate]], dict[str, Versioned]],
    received_at: datetime,
) -> Decisions:
    """Decide about messages in order; ids in `seen`, or met before in the batch, are duplicates."""
    streams, message_ids = _tell_apart(decoded, seen)
    decisions = Decisions(load(streams), received_at, message_ids)
    for each in decoded:
        decisions.take(each)
    return decisions


def _tell_apart(decoded: Sequence[Decoded], seen: Collection[str]) -> tuple[dict[str, Aggregate], set[str]]:
    """Mark the duplicates; return the streams that the others address, and the ids of these."""
    streams: dict[str, Aggregate] = {}
    new: set[str] = set()
    for each in decoded:
        message_id = each.message_id
        if message_id is None:
            continue
        if message_id in new or message_id in seen:
            each.duplicate = True
            continue
        new.add(message_id)
        if each.stream_id is not None and each.aggregate is not None:
            streams[each.stream_id] = each.aggregate
    return streams, new
