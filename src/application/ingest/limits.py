"""What a command may hold, so that every event finds its place in the star: its times and days, its texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints

from application.ports.inbox import Reason

if TYPE_CHECKING:
    from application.ingest.messages import MessageType

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2070, 1, 1, tzinfo=UTC)
"""The first moment that is taken, and the first that is not any more: the star's calendar has the days between."""
EARLIEST_DAY, LATEST_DAY = EARLIEST.date(), LATEST.date()
MAX_ID = 200
MAX_BYTES = 3 * MAX_ID
"""Of an identifier or a name in UTF-8: several of them must fit into one entry of an index."""
PROSE = frozenset({"reason", "description", "resolution"})
"""Fields that people write sentences into, of any length."""
_SURELY_SHORT = MAX_BYTES // 4
"""Characters that can't be too many, whichever they are: UTF-8 takes four bytes for one at most."""


_hints_of = cache(get_type_hints)


def fields_of(command: type, kind: type) -> tuple[str, ...]:
    """Return the names of a command's fields of a type, those that may be absent among them."""
    hints = _hints_of(command)
    return tuple(f.name for f in fields(command) if hints[f.name] in (kind, kind | None))


def texts_of(command: type) -> tuple[str, ...]:
    """Return the names of a command's identifiers and names."""
    return tuple(name for name in fields_of(command, str) if name not in PROSE)


def parts_of(command: type) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the fields that hold many of something, such as lines, with the identifiers and names of these."""
    for name, hint in _hints_of(command).items():
        element = next(iter(get_args(hint)), None)
        if is_dataclass(element) and (texts := texts_of(cast("type", element))):
            yield name, texts


def mistimed(message_type: MessageType, command: Any) -> Reason | None:
    """Return what is wrong with the times and days of a command, if anything."""
    for name in message_type.timestamps:
        moment = getattr(command, name)
        if moment is not None and (moment.tzinfo is None or not EARLIEST <= moment < LATEST):
            return _unusable(name, moment)
    for name in message_type.dates:
        day = getattr(command, name)
        if day is not None and not EARLIEST_DAY <= day < LATEST_DAY:
            return _unusable(name, day)
    return None


def _unusable(name: str, value: date) -> Reason:
    if isinstance(value, datetime) and value.tzinfo is None:
        return Reason("MissingOffset", f"{name} {value.isoformat()} has no UTC offset")
    span = f"within {EARLIEST.year} to {LATEST.year - 1}"
    return Reason("TimeOutOfRange", f"{name} {value.isoformat()} is not {span}")


def too_long(message_type: MessageType, command: Any) -> Reason | None:
    """Return what is wrong with the length of an identifier or a name in a command, if anything."""
    for name in message_type.texts:
        value = getattr(command, name)
        if value is not None and len(value) > _SURELY_SHORT and _is_long(value):
            return _long(name)
    for many, texts in message_type.parts:
        for part in getattr(command, many) or ():
            for name in texts:
                value = getattr(part, name)
                if value is not None and len(value) > _SURELY_SHORT and _is_long(value):
                    return _long(f"{name} in {many}")
    return None


def _is_long(text: str) -> bool:
    return len(text) > MAX_ID or len(text.encode()) > MAX_BYTES


def _long(name: str) -> Reason:
    return Reason("TextTooLong", f"{name} has more than {MAX_ID} characters, or {MAX_BYTES} bytes")
