"""The rows of a SELECT as messages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from datetime import date, datetime, time
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from adapters.files.fields import EXTRAS
from adapters.files.mapping import Mapping, Select
from application.ingest.messages import (
    MESSAGE_TYPES,
    MessageType,
    RejectedRow,
    encode_command,
    encode_rejected,
    type_name,
)
from application.ports.message_stream import OutgoingMessage

ROW_REJECTED = "RowRejected"
_PATH = re.compile(r" - at `\$\.?(.*)`$")
_NULL = re.compile(r"Expected .*, got `null`")


def given_fields(mapping: Mapping, command: type) -> dict[str, Any]:
    """Return the fields of a command that the mapping gives where a SELECT doesn't: the currency."""
    has_currency = any(field.name == "currency" for field in fields(command))
    return {"currency": mapping.currency} if has_currency and mapping.currency else {}


class Origin(NamedTuple):
    """Where a row was read."""

    file: str
    line: int | None


class MessageIds:
    """Ids from content: the same content gives the same id, its n-th occurrence in a run the n-th one."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def next(self, kind: str, content: bytes) -> str:
        """Return the id of the next message of a kind with that content."""
        digest = sha256(kind.encode() + b"\n" + content).digest()[:16]
        self._seen[digest] += 1
        return f"{digest.hex()}-{self._seen[digest]}"


class Messages:
    """Builds the messages of one run of a mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self._source = f"files/{quote(mapping.name)}"
        self._mapping = mapping
        self._ids = MessageIds()

    def rejected(self, topic: str, origin: Origin, column: str | None, detail: str, text: str) -> OutgoingMessage:
        """Build the message of a row that can't become a command."""
        place = f"{origin.file} line {origin.line}" if origin.line is not None else origin.file
        row = RejectedRow(ROW_REJECTED, f"{place}: {detail}", text, column)
        content = msgspec.json.encode((origin.line, detail, text))
        return encode_rejected(
            row,
            topic=topic,
            message_id=self._ids.next(ROW_REJECTED, content),
            source=self._source,
            origin_file=origin.file,
            origin_line=origin.line,
        )

    def of_row(self, select: Select, number: int, row: dict[str, Any]) -> OutgoingMessage:
        """Build the message of the `number`th row of a SELECT: its command, or a rejected row."""
        extras = {name: row.pop(name) for name in EXTRAS if name in row}
        message_type = MESSAGE_TYPES[type_name(select.command)]
        origin = Origin(extras.get("_file") or select.file, extras.get("_line") or number)
        try:
            if "_id" in extras and not extras["_id"]:
                raise UnfitRowError("_id", "_id is null")
            command = command_of(self._mapping, message_type, row)
        except UnfitRowError as error:
            text = msgspec.json.encode(row).decode()
            topic = message_type.aggregate.topic
            return self.rejected(topic, origin, error.column, f"{select.file}: {error}", text)
        return encode_command(
            command,
            message_id=extras.get("_id") or self._ids.next(message_type.name, msgspec.json.encode(command)),
            source=self._source,
            correlation_id=extras.get("_correlation"),
            origin_file=origin.file,
            origin_line=origin.line,
        )


class UnfitRowError(Exception):
    """A row can't become its command: a column, where one is to blame, and what is wrong with it."""

    def __init__(self, column: str | None, detail: str) -> None:
        super().__init__(detail)
        self.column = column


def command_of(mapping: Mapping, message_type: MessageType, row: dict[str, Any]) -> Any:
    """Return the command of a row: its times in the mapping's zone, the currency where the row has none.

    Raises:
        UnfitRowError: a value is missing or of another type.
    """
    zoned = {name: in_zone(row[name], mapping.zone) for name in message_type.timestamps if name in row}
    missing = {name: value for name, value in given_fields(mapping, message_type.command).items() if name not in row}
    try:
        return msgspec.convert({**missing, **row, **zoned}, message_type.command)
    except (msgspec.ValidationError, OverflowError) as error:
        raise UnfitRowError(*_explained(error)) from None


def in_zone(value: Any, zone: ZoneInfo) -> Any:
    """Return a date as its midnight and a time without offset as one in the zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    return datetime.combine(value, time(), zone) if isinstance(value, date) else value


def _explained(error: Exception) -> tuple[str | None, str]:
    path = _PATH.search(str(error))
    if path is None:
        return None, str(error)
    detail = _PATH.sub("", str(error))
    return path[1], f"{path[1]} is null" if _NULL.match(detail) else f"{path[1]}: {detail}"
