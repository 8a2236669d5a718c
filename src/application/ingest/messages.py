"""The message contract: CloudEvents 1.0 in JSON, one type and version for each command.

`data` holds the command's fields; `subject` is the stream it addresses, also the key on its topic. The
extension attributes `originfile` and `originline` say where a message from a file was read,
`correlationid` what it belongs to, `actor` who caused it; others, such as `traceparent`, may be there.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from application.aggregates import AGGREGATE_OF_COMMAND, Aggregate
from application.codec import UNREADABLE
from application.ingest.limits import MAX_ID, fields_of, mistimed, parts_of, texts_of, too_long
from application.ports.inbox import Reason
from application.ports.message_stream import OutgoingMessage

TYPE_PREFIX = "dataflow."
MAX_PAYLOAD = 1_048_576
REJECTED_TYPE = "dataflow.RejectedRow.v1"


class InvalidMessageError(Exception):
    """A message that can't become a command; `reason` says why, in words for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = Reason(code, detail)


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A CloudEvents 1.0 envelope (https://github.com/cloudevents/spec), JSON event format."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    data: msgspec.Raw
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    correlationid: str | None = None
    actor: str | None = None
    originfile: str | None = None
    originline: int | None = None

    @property
    def message_id(self) -> str:
        """The identity of the message: source and id together are unique (CloudEvents 1.0, 3.1).

        A space parts them, which a source, as a URI reference, does not hold.
        """
        return f"{self.source} {self.id}"

    @property
    def origin(self) -> str | None:
        """File and line as `orders.csv:12`, where the message came from a file."""
        if self.originfile is None:
            return None
        return f"{self.originfile}:{self.originline}" if self.originline is not None else self.originfile


class RejectedRow(msgspec.Struct, frozen=True):
    """A row of a file that could not become a message: kept, to end in quarantine with file and line."""

    code: str
    detail: str
    text: str
    column: str | None = None


class MessageType(msgspec.Struct, frozen=True):
    """A message type: its name, the command it carries, how to decode and route it, and which fields are what.

    `texts` are the identifiers and names of the command, `parts` those of what it holds many of, such as lines.
    """

    name: str
    command: type
    aggregate: Aggregate
    decoder: Any
    timestamps: tuple[str, ...]
    dates: tuple[str, ...]
    only_occurred_at: bool
    texts: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...]


def type_name(command: type) -> str:
    """Return the message type that carries a command: `dataflow.PlaceOrder.v1`."""
    return f"{TYPE_PREFIX}{command.__name__}.v1"


def _message_type(command: type, aggregate: Aggregate) -> MessageType:
    timestamps, dates = fields_of(command, datetime), fields_of(command, date)
    plain = timestamps == ("occurred_at",) and not dates
    decoder: Any = msgspec.json.Decoder(command)
    texts, parts = texts_of(command), tuple(parts_of(command))
    return MessageType(type_name(command), command, aggregate, decoder, timestamps, dates, plain, texts, parts)


MESSAGE_TYPES: dict[str, MessageType] = {
    type_name(command): _message_type(command, aggregate) for command, aggregate in AGGREGATE_OF_COMMAND.items()
}
_SOURCE = re.compile(rf"[^\s\x00-\x1f\x7f]{{1,{MAX_ID}}}")
_ID = re.compile(rf"[^\x00-\x1f\x7f]{{1,{MAX_ID}}}")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STREAM_ID = re.compile(rf"[a-z]+-(?=.{{1,{MAX_ID}}}$)[^@]+(@[^@]+)?")
_FAMILIES = {name.rpartition(".")[0] for name in MESSAGE_TYPES}
_ENVELOPE = msgspec.json.Decoder(CloudEvent)
_REJECTED = msgspec.json.Decoder(RejectedRow)
_ENCODER = msgspec.json.Encoder()


def decode_envelope(payload: bytes) -> CloudEvent:
    """Decode the envelope of a message.

    Raises:
        InvalidMessageError: empty, too large, not UTF-8, not JSON, not CloudEvents 1.0, or an id that
            can't be kept.
    """
    if not payload:
        raise InvalidMessageError("EmptyMessage", "the message is empty")
    if len(payload) > MAX_PAYLOAD:
        raise InvalidMessageError(
            "MessageTooLarge", f"the message has {len(payload):,} bytes, at most {MAX_PAYLOAD:,} are taken"
        )
    try:
        envelope = _ENVELOPE.decode(payload)
    except msgspec.ValidationError as error:
        raise InvalidMessageError("InvalidEnvelope", f"not a CloudEvents 1.0 message: {error}") from None
    except UNREADABLE as error:
        raise InvalidMessageError("InvalidJson", f"not JSON in UTF-8: {error}") from None
    if not _SOURCE.fullmatch(envelope.source) or not _ID.fullmatch(envelope.id):
        raise InvalidMessageError(
            "InvalidEnvelope",
            f"source and id must have 1 to {MAX_ID} characters, without control characters or, in a source, spaces",
        )
    return envelope


def require_storable(payload: bytes) -> None:
    """Refuse the character U+0000, which PostgreSQL's text can't hold; JSON has it as an escape only.

    Raises:
        InvalidMessageError: it stands somewhere in the message.
    """
    if b"\\u0000" in payload and _NUL.search(payload):
        raise InvalidMessageError("InvalidCharacter", "the message holds the character U+0000")


def decode_command(envelope: CloudEvent) -> tuple[MessageType, Any, str]:
    """Decode the command of a message; return its type, the command, and the stream it addresses.

    Raises:
        InvalidMessageError: unknown type or version, data that does not fit, a time without an offset or out
            of range, an identifier that can't be kept, or a row that its file's reader rejected.
    """
    message_type = MESSAGE_TYPES.get(envelope.type)
    if message_type is None:
        raise _unknown(envelope)
    try:
        command = message_type.decoder.decode(envelope.data)
    except UNREADABLE as error:
        raise InvalidMessageError("InvalidData", f"data of {envelope.type}: {error}") from None
    stream_id = message_type.aggregate.stream_of(command)
    if not is_identifier(stream_id):
        raise InvalidMessageError(
            "InvalidIdentifier",
            f"{stream_id!r}: an identifier has 1 to {MAX_ID} printable characters, and no @",
        )
    if (reason := mistimed(message_type, command) or too_long(message_type, command)) is not None:
        raise InvalidMessageError(*reason)
    return message_type, command, stream_id


@lru_cache(maxsize=8_192)
def is_identifier(stream_id: str) -> bool:
    """Tell whether a stream can have this id; those of a while address the same streams."""
    return stream_id.isprintable() and _STREAM_ID.fullmatch(stream_id) is not None


def _unknown(envelope: CloudEvent) -> InvalidMessageError:
    if envelope.type == REJECTED_TYPE:
        try:
            row = _REJECTED.decode(envelope.data)
        except UNREADABLE as error:
            return InvalidMessageError("InvalidData", f"data of {envelope.type}: {error}")
        return InvalidMessageError(row.code, row.detail)
    if envelope.type.rpartition(".")[0] in _FAMILIES:
        return InvalidMessageError("UnknownVersion", f"this version of {envelope.type!r} is not known here")
    return InvalidMessageError("UnknownType", f"the type {envelope.type!r} is not known")


def encode_command(
    command: Any,
    *,
    message_id: str,
    source: str,
    correlation_id: str | None = None,
    actor: str | None = None,
    origin_file: str | None = None,
    origin_line: int | None = None,
) -> OutgoingMessage:
    """Build the message that carries a command; `message_id` is unique within `source`."""
    aggregate = AGGREGATE_OF_COMMAND[type(command)]
    stream_id = aggregate.stream_of(command)
    envelope = CloudEvent(
        specversion="1.0",
        id=message_id,
        source=source,
        type=type_name(type(command)),
        subject=stream_id,
        datacontenttype="application/json",
        data=msgspec.Raw(_ENCODER.encode(command)),
        correlationid=correlation_id,
        actor=actor,
        originfile=origin_file,
        originline=origin_line,
    )
    return OutgoingMessage(aggregate.topic, stream_id, _ENCODER.encode(envelope))


def encode_rejected(
    row: RejectedRow, *, topic: str, message_id: str, source: str, origin_file: str, origin_line: int | None
) -> OutgoingMessage:
    """Build the message that carries a rejected row to quarantine."""
    envelope = CloudEvent(
        specversion="1.0",
        id=message_id,
        source=source,
        type=REJECTED_TYPE,
        datacontenttype="application/json",
        data=msgspec.Raw(_ENCODER.encode(row)),
        originfile=origin_file,
        originline=origin_line,
    )
    return OutgoingMessage(topic, f"{origin_file}:{origin_line}", _ENCODER.encode(envelope))
