"""Debezium's change messages, with or without their schema, as rows of a source.

Format: https://debezium.io/documentation/reference/stable/connectors/postgresql.html, "Data change events".
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from application.ports.source_database import SourceTable
from application.ports.source_ledger import KeptRow
from application.sources.json_rows import Raws, UnusableJsonError, native, read_object, texts_of
from application.sources.rows import gone_row, kept_row

UNAVAILABLE = "__debezium_unavailable_value"
"""What stands for a large value that a change did not touch and the source did not send."""
_NOW = frozenset({"c", "u", "r"})
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the source's columns have no offset either
_BINLOG = 44


class Change(NamedTuple):
    """A row as it is after a change, and the columns whose value the message leaves out."""

    row: KeptRow
    left_out: tuple[str, ...] = ()


def read_change(table: SourceTable, payload: bytes, key: str | None) -> Change | None:
    """Return the change that a message tells of, None where it tells of none.

    Raises:
        UnusableJsonError: it is not a change message, or tells of something that rows can't follow.
    """
    message = read_object(payload)
    kinds: Mapping[str, Any] = {}
    if "payload" in message and "schema" in message:
        kinds = _kinds(native(message["schema"]))
        message = read_object(bytes(message["payload"]))
    operation = native(message["op"]) if "op" in message else None
    position = _position(native(message["source"]) if "source" in message else {}, message)
    if operation in _NOW:
        return _changed(table, _object(message, "after"), kinds, position)
    if operation == "d":
        return Change(gone_row(table, _key_values(table, message, key), position))
    if operation == "m":
        return None
    raise UnusableJsonError(f"not a change of a row: op is {operation!r}; after a truncation the rows are gone unseen")


def _changed(table: SourceTable, after: Raws, kinds: Mapping[str, Any], position: int | None) -> Change:
    values: dict[str, Any] = {**texts_of(after)}
    for name, kind in kinds.items():
        if values.get(name) is not None and kind["name"] in _CONVERSIONS:
            values[name] = _CONVERSIONS[kind["name"]](native(after[name]), kind)
    left_out = tuple(name for name, value in values.items() if value == UNAVAILABLE)
    row = kept_row(table, {**values, **_natives(table, after)}, position=position)
    return Change(row, left_out)


def _natives(table: SourceTable, values: Raws) -> dict[str, Any]:
    """Return the columns of the key as they are, for the key of a row says number or text."""
    return {name: native(values[name]) for name in (*table.key, *table.group) if name in values}


def _key_values(table: SourceTable, message: Raws, key: str | None) -> dict[str, Any]:
    """Return the key of a row that is gone: the row before tells it, or else the key of the message."""
    before = message.get("before")
    if before is not None and bytes(before) != b"null":
        return _natives(table, read_object(bytes(before)))
    known = read_object((key or "").encode())
    if "payload" in known:
        known = read_object(bytes(known["payload"]))
    return _natives(table, known)


def _object(message: Raws, name: str) -> Raws:
    raw = message.get(name)
    if raw is None or bytes(raw) == b"null":
        raise UnusableJsonError(f"not a change of a row: it has no {name}")
    return read_object(bytes(raw))


def _position(source: Mapping[str, Any], message: Raws) -> int | None:
    """Return where the source's log has the change; by the clock where it tells no place."""
    if isinstance(source.get("lsn"), int):
        return int(source["lsn"])
    if source.get("file") and source.get("pos") is not None:
        number = str(source["file"]).rpartition(".")[2]
        return (int(number) << _BINLOG) + int(source["pos"]) if number.isdigit() else None
    moment = source.get("ts_ms") or (native(message["ts_ms"]) if "ts_ms" in message else None)
    return int(moment) if moment is not None else None


def _kinds(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of each column that has a type of a name, such as a date."""
    rows = [field for field in schema.get("fields", ()) if field.get("field") == "after"]
    return {column["field"]: column for row in rows for column in row.get("fields", ()) if column.get("name")}


def _days(value: Any, _: Mapping[str, Any]) -> str:
    return (date(1970, 1, 1) + timedelta(days=value)).isoformat()


def _since_epoch(unit: timedelta, parts: int = 1) -> Callable[[Any, Mapping[str, Any]], str]:
    return lambda value, _: (_EPOCH + value // parts * unit).isoformat()


def _decimal(value: Any, kind: Mapping[str, Any]) -> str:
    """Return a number of which the digits stand as a big-endian integer, in base 64."""
    unscaled = int.from_bytes(b64decode(value), "big", signed=True)
    return str(Decimal(unscaled).scaleb(-int(kind["parameters"]["scale"])))


_CONVERSIONS: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "io.debezium.time.Date": _days,
    "org.apache.kafka.connect.data.Date": _days,
    "io.debezium.time.Timestamp": _since_epoch(timedelta(milliseconds=1)),
    "org.apache.kafka.connect.data.Timestamp": _since_epoch(timedelta(milliseconds=1)),
    "io.debezium.time.MicroTimestamp": _since_epoch(timedelta(microseconds=1)),
    "io.debezium.time.NanoTimestamp": _since_epoch(timedelta(microseconds=1), 1_000),
    "org.apache.kafka.connect.data.Decimal": _decimal,
}


def filled(change: Change, known: bytes | None) -> KeptRow:
    """Return a row with the values that its message leaves out, as they were before."""
    row = change.row
    if not change.left_out or row.content is None:
        return row
    before = msgspec.json.decode(known) if known is not None else {}
    values = msgspec.json.decode(row.content)
    values |= {name: before.get(name) for name in change.left_out}
    return row._replace(content=msgspec.json.encode(values))
