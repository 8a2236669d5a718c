"""From one batch of received messages to what is appended: pure but for the states it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from application import codec
from application.aggregates import Aggregate
from application.ingest.messages import (
    CloudEvent,
    InvalidMessageError,
    decode_command,
    decode_envelope,
    require_storable,
)
from application.ingest.states import Versioned
from application.ports.event_store import NewEvent
from application.ports.inbox import Balance, Outcome, Reason, Receipt
from application.ports.message_stream import ReceivedMessage
from domain.shared.refusal import Refusal

CLOCK_TOLERANCE = timedelta(days=1)
"""How far a source's clock may be ahead before its business times are taken for a mistake."""


@dataclass(slots=True)
class Decoded:
    """A received message, as far as it could be decoded: a command for a stream, or a reason why not."""

    message: ReceivedMessage
    envelope: CloudEvent | None = None
    message_id: str | None = None
    aggregate: Aggregate | None = None
    command: Any = None
    stream_id: str | None = None
    reason: Reason | None = None

    @property
    def source(self) -> str:
        """Where the message came from: file and line, or topic, partition and offset."""
        if self.envelope is not None and self.envelope.origin is not None:
            return self.envelope.origin
        return f"{self.message.topic}/{self.message.partition}@{self.message.offset}"

    def metadata(self, recorded_at: datetime) -> codec.Metadata:
        """Return the metadata of the events that the message causes."""
        assert self.envelope is not None
        assert self.message_id is not None
        return codec.Metadata(
            recorded_at,
            self.message_id,
            self.envelope.correlationid or self.message_id,
            self.source,
            self.envelope.actor,
        )


def decode_message(message: ReceivedMessage) -> Decoded:
    """Decode a message; what is wrong with it becomes its reason."""
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


@dataclass(slots=True)
class Decisions:
    """What a batch received at one time decides: events, a receipt for each message, the states after."""

    states: dict[str, Versioned]
    received_at: datetime
    events: list[NewEvent] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    _latest: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Set the latest business time that is taken."""
        self._latest = self.received_at + CLOCK_TOLERANCE

    def balance(self) -> Balance:
        """Count what became of the messages."""
        outcomes = [receipt.outcome for receipt in self.receipts]
        kinds = (Outcome.APPLIED, Outcome.DUPLICATE, Outcome.QUARANTINED)
        return Balance(len(outcomes), *(outcomes.count(kind) for kind in kinds))

    def message_ids(self) -> set[str]:
        """Return the ids of the batch's messages, for those that come before its commit is through."""
        return {receipt.message_id for receipt in self.receipts if receipt.message_id is not None}

    def refused(self) -> set[str]:
        """Return the streams whose state made the domain refuse a message."""
        return {r.stream_id for r in self.receipts if r.reason is not None and r.stream_id is not None}

    def take(self, decoded: Decoded, *, duplicate: bool) -> None:
        """Decide about one message and keep its receipt."""
        if duplicate:
            outcome, reason = Outcome.DUPLICATE, None
        else:
            reason = decoded.reason or self.decide(decoded)
            outcome = Outcome.QUARANTINED if reason else Outcome.APPLIED
        topic, partition, offset, key, payload = decoded.message
        if key is not None and "\x00" in key:
            key = key.replace("\x00", "\ufffd")
        self.receipts.append(
            Receipt(
                topic,
                partition,
                offset,
                key,
                payload,
                decoded.message_id,
                outcome,
                self.received_at,
                decoded.stream_id,
                decoded.source if reason else "",
                reason,
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
            return Reason(refusal.code, f"{stream_id}: {refusal}")
        if events:
            metadata = codec.encode_metadata(decoded.metadata(self.received_at))
            for event in events:
                version += 1
                self.events.append(NewEvent(stream_id, version, event.TOPIC, codec.encode(event, metadata)))
                state = aggregate.evolve(state, event)
            self.states[stream_id] = Versioned(state, version)
        return None


def decide_batch(
    decoded: Sequence[Decoded],
    *,
    seen: set[str],
    load: Callable[[dict[str, Aggregate]], dict[str, Versioned]],
    received_at: datetime,
) -> Decisions:
    """Decide about messages in order; ids in `seen`, or met before in the batch, are duplicates."""
    known = set(seen)
    flags = []
    for each in decoded:
        flags.append(each.message_id in known)
        if each.message_id is not None:
            known.add(each.message_id)
    streams = {
        each.stream_id: each.aggregate
        for each, duplicate in zip(decoded, flags, strict=True)
        if not duplicate and each.stream_id is not None and each.aggregate is not None
    }
    decisions = Decisions(load(streams), received_at)
    for each, duplicate in zip(decoded, flags, strict=True):
        decisions.take(each, duplicate=duplicate)
    return decisions
