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


def decode_message(message: ReceivedMessage) -> Decoded:
    """Decode a message; what is wrong with it becomes its reason."""
    decoded = Decoded(message)
    try:
        decoded.envelope = decode_envelope(message.payload)
        decoded.message_id = decoded.envelope.message_id
        message_type, decoded.command, decoded.stream_id = decode_command(decoded.envelope)
        decoded.aggregate = message_type.aggregate
    except InvalidMessageError as error:
        decoded.reason = error.reason
    return decoded


@dataclass(slots=True)
class Decisions:
    """What a batch decides: events in order, a receipt for each message, and the states after."""

    states: dict[str, Versioned]
    events: list[NewEvent] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def balance(self) -> Balance:
        """Count what became of the messages."""
        outcomes = [receipt.outcome for receipt in self.receipts]
        kinds = (Outcome.APPLIED, Outcome.DUPLICATE, Outcome.QUARANTINED)
        return Balance(len(outcomes), *(outcomes.count(kind) for kind in kinds))

    def message_ids(self) -> set[str]:
        """Return the ids of the batch's messages, for those that come before its commit is through."""
        return {receipt.message_id for receipt in self.receipts if receipt.message_id is not None}

    def take(self, decoded: Decoded, received_at: datetime, *, duplicate: bool) -> None:
        """Decide about one message and keep its receipt."""
        if duplicate:
            outcome, reason = Outcome.DUPLICATE, None
        else:
            reason = decoded.reason or self.decide(decoded, received_at)
            outcome = Outcome.QUARANTINED if reason else Outcome.APPLIED
        topic, partition, offset, key, payload = decoded.message
        self.receipts.append(
            Receipt(
                topic,
                partition,
                offset,
                key,
                payload,
                decoded.message_id,
                outcome,
                received_at,
                decoded.stream_id,
                decoded.source if reason else "",
                reason,
            )
        )

    def decide(self, decoded: Decoded, recorded_at: datetime) -> Reason | None:
        """Let the domain decide; return the reason where it refuses."""
        aggregate, stream_id, envelope = decoded.aggregate, decoded.stream_id, decoded.envelope
        assert aggregate is not None
        assert stream_id is not None
        assert envelope is not None
        if decoded.command.occurred_at > recorded_at + CLOCK_TOLERANCE:
            when = decoded.command.occurred_at.isoformat()
            return Reason("TimeOutOfRange", f"{stream_id}: occurred_at {when} lies in the future")
        state, version = self.states[stream_id]
        try:
            events = aggregate.decide(state, decoded.command)
        except Refusal as refusal:
            return Reason(refusal.code, f"{stream_id}: {refusal}")
        if not events:
            return None
        metadata = codec.encode_metadata(
            codec.Metadata(
                recorded_at=recorded_at,
                causation_id=envelope.message_id,
                correlation_id=envelope.correlationid or envelope.message_id,
                source=decoded.source,
                actor=envelope.actor,
            )
        )
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
    decisions = Decisions(load(streams))
    for each, duplicate in zip(decoded, flags, strict=True):
        decisions.take(each, received_at, duplicate=duplicate)
    return decisions
