"""Marks: the value of a growing column and the key beside it, as text, with the type that they had."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from application.ports.source_database import Key, SourceDatabaseError

_KINDS: dict[str, Any] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "Decimal": Decimal,
    "int": int,
    "float": float,
    "str": str,
}


class _Mark(msgspec.Struct):
    kind: str
    value: str
    key: list[Any]


_ENCODER = msgspec.json.Encoder(enc_hook=str)
_DECODER = msgspec.json.Decoder(_Mark)


def encode_mark(value: Any, key: Key) -> str:
    """Return a mark as text; raises SourceDatabaseError where the value does not grow as a time or number does."""
    kind = type(value).__name__
    if kind not in _KINDS:
        raise SourceDatabaseError(f"a column of type {kind} can't tell what changed; it must be a time or a number")
    shown = value.isoformat() if isinstance(value, date) else str(value)
    return _ENCODER.encode(_Mark(kind, shown, list(key))).decode()


def decode_mark(text: str) -> tuple[Any, Key]:
    """Return the value and the key of a mark."""
    mark = _DECODER.decode(text)
    return _KINDS[mark.kind](mark.value), tuple(mark.key)


def lowered(value: Any, overlap: float) -> Any:
    """Return a value less an overlap: seconds of a time, else units of the number.

    A time in text, which is how SQLite keeps it, stays text of the same form.
    """
    if isinstance(value, datetime):
        return value - timedelta(seconds=overlap)
    if isinstance(value, date):
        return value - timedelta(days=-(-overlap // 86_400))
    if isinstance(value, str):
        return lowered(datetime.fromisoformat(value), overlap).isoformat(sep=value[10:11] or " ")
    return value - type(value)(overlap)
