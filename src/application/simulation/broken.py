"""Ten kinds of messages that must end in quarantine, each with the reason code it must end with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from application.ingest.messages import MAX_PAYLOAD, encode_command
from application.ports.message_stream import OutgoingMessage
from domain.inventory.commands import ReceiveStock
from domain.order.commands import CloseOrder

OVERSIZED_UNTIL = 1000
"""Of so many broken messages a tenth is oversized; after them none is, to spare the disk."""

Envelope = dict[str, Any]


class BrokenKind(NamedTuple):
    """A kind of broken message; `build` makes one from a sound message's envelope."""

    name: str
    code: str
    build: Callable[[OutgoingMessage, Envelope], OutgoingMessage]


def broken_kind(number: int) -> BrokenKind:
    """Return the kind of the broken message with this running number, from 0: one after the other."""
    if number < OVERSIZED_UNTIL:
        return BROKEN_KINDS[number % len(BROKEN_KINDS)]
    return _WITHOUT_OVERSIZED[number % len(_WITHOUT_OVERSIZED)]


def broken_message(sound: OutgoingMessage, number: int, source: str) -> OutgoingMessage:
    """Return an additional message that looks like the sound one, but is broken; its id is its own."""
    kind = broken_kind(number)
    envelope = msgspec.json.decode(sound.payload)
    envelope.update(id=f"{kind.name}-{number:08d}", source=source)
    return kind.build(sound, envelope)


def _with_payload(sound: OutgoingMessage, payload: bytes) -> OutgoingMessage:
    return sound._replace(payload=payload)


def _empty(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    return _with_payload(sound, b"")


def _not_json(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    encoded = msgspec.json.encode(envelope)
    return _with_payload(sound, encoded[: len(encoded) // 2])


def _invalid_utf8(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    encoded = msgspec.json.encode(envelope)
    return _with_payload(sound, encoded.replace(b'"id":"', b'"id":"\xff\xfe', 1))


def _oversized(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    envelope["data"]["note"] = "x" * MAX_PAYLOAD
    return _with_payload(sound, msgspec.json.encode(envelope))


def _unknown_type(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    envelope["type"] = "dataflow.TeleportStock.v1"
    return _with_payload(sound, msgspec.json.encode(envelope))


def _future_version(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    envelope["type"] = f"{envelope['type'].rpartition('.')[0]}.v99"
    return _with_payload(sound, msgspec.json.encode(envelope))


def _wrong_type(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    envelope["data"]["occurred_at"] = ["yesterday"]
    return _with_payload(sound, msgspec.json.encode(envelope))


def _missing_field(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    del envelope["data"]["occurred_at"]
    return _with_payload(sound, msgspec.json.encode(envelope))


def _out_of_range(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    command = ReceiveStock(product_id="PRD-001", location_id="WH-1", occurred_at=_occurred_at(envelope), quantity=-5)
    return encode_command(command, message_id=envelope["id"], source=envelope["source"])


def _refused(sound: OutgoingMessage, envelope: Envelope) -> OutgoingMessage:
    command = CloseOrder(order_id=f"{envelope['id']}-never-placed", occurred_at=_occurred_at(envelope))
    return encode_command(command, message_id=envelope["id"], source=envelope["source"])


def _occurred_at(envelope: Envelope) -> datetime:
    return msgspec.convert(envelope["data"]["occurred_at"], datetime)


BROKEN_KINDS = (
    BrokenKind("empty", "EmptyMessage", _empty),
    BrokenKind("not-json", "InvalidJson", _not_json),
    BrokenKind("invalid-utf8", "InvalidJson", _invalid_utf8),
    BrokenKind("oversized", "MessageTooLarge", _oversized),
    BrokenKind("unknown-type", "UnknownType", _unknown_type),
    BrokenKind("future-version", "UnknownVersion", _future_version),
    BrokenKind("wrong-type", "InvalidData", _wrong_type),
    BrokenKind("missing-field", "InvalidData", _missing_field),
    BrokenKind("out-of-range", "InvalidQuantity", _out_of_range),
    BrokenKind("refused", "OrderNotPlaced", _refused),
)
_WITHOUT_OVERSIZED = tuple(kind for kind in BROKEN_KINDS if kind.build is not _oversized)
