"""JSON objects of other systems as rows: each value as the text that it has there, so that no digit is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from application.codec import UNREADABLE

Raws = Mapping[str, msgspec.Raw]
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


class UnusableJsonError(Exception):
    """Bytes that are not a JSON object, or one that lacks what it should have; the message says what."""


def read_object(payload: bytes) -> dict[str, msgspec.Raw]:
    """Return the values of a JSON object by name, each as it stands there; raises UnusableJsonError."""
    try:
        return _OBJECT.decode(payload)
    except msgspec.ValidationError:
        raise UnusableJsonError("not a JSON object") from None
    except UNREADABLE as error:
        raise UnusableJsonError(f"not JSON in UTF-8: {error}") from None


def texts_of(values: Raws) -> dict[str, str | None]:
    """Return values as text: a string's own, null as None, all else as JSON."""
    return {name: _text(bytes(raw)) for name, raw in values.items()}


def native(raw: msgspec.Raw) -> Any:
    """Return a value as Python's own."""
    return msgspec.json.decode(raw)


def _text(data: bytes) -> str | None:
    if data[:1] == b'"':
        return _TEXT.decode(data)
    return None if data == b"null" else data.decode()
