"""Rows of a source as they are kept: the same row always gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec

from application.ports.source_database import Key, SourceTable
from application.ports.source_ledger import AmbiguousKeyError, KeptRow

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_KEY = msgspec.json.Decoder(list[Any])


def kept_row(
    table: SourceTable, values: Mapping[str, Any], version: str | None = None, position: int | None = None
) -> KeptRow:
    """Return a row of a table as it is kept; raises AmbiguousKeyError where it lacks a column of its key."""
    content = _ENCODER.encode({name: text_of(value) for name, value in values.items()})
    return KeptRow(table.name, key_of(table, values), table.root, group_of(table, values), content, version, position)


def gone_row(table: SourceTable, values: Mapping[str, Any], position: int | None = None) -> KeptRow:
    """Return the record of a row that is gone, of which the columns of its key are known."""
    return KeptRow(table.name, key_of(table, values), table.root, group_of(table, values), None, None, position)


def key_of(table: SourceTable, values: Mapping[str, Any]) -> str:
    """Return the key of a row as text, in JSON."""
    return encode_key(_picked(table, values, table.key))


def group_of(table: SourceTable, values: Mapping[str, Any]) -> str:
    """Return the key of the row that a row belongs to: for a lookup table none, for a root its own."""
    return encode_key(_picked(table, values, table.group)) if table.root else ""


def encode_key(key: Key) -> str:
    """Return the values of a key as text."""
    return _ENCODER.encode(key).decode()


def decode_key(text: str) -> Key:
    """Return the values of a key from its text."""
    return tuple(_KEY.decode(text))


def _picked(table: SourceTable, values: Mapping[str, Any], columns: tuple[str, ...]) -> Key:
    try:
        return tuple(values[column] for column in columns)
    except KeyError as error:
        raise AmbiguousKeyError(
            f"{table.name}: a row has no column {error.args[0]}, which belongs to its key; it has {', '.join(values)}"
        ) from None


def text_of(value: Any) -> str | None:
    """Return a value of a database as text that DuckDB reads as the same value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list | tuple | dict):
        return _ENCODER.encode(value).decode()
    return str(value)
