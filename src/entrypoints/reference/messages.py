"""The messages that the platform takes: a page of all types, and a JSON Schema for each."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from application.ingest.messages import MESSAGE_TYPES, REJECTED_TYPE, CloudEvent, MessageType, RejectedRow
from entrypoints.reference.markdown import as_code, described, page, table

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_OFFSET = "([Zz]|[+-][0-9]{2}:[0-9]{2})$"
_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_INTRO = """\
A message is a CloudEvents 1.0 event in JSON; `data` holds the fields of its command, `subject` the stream
that it addresses, which is also its key on the topic. A schema says what can be decoded; what the domain
refuses is in [refusals.md](refusals.md).
"""


def message_schema(message_type: MessageType) -> dict[str, Any]:
    """Return the JSON Schema of a message: the CloudEvents envelope around the command's fields."""
    (_, data), definitions = msgspec.json.schema_components((CloudEvent, message_type.command))
    envelope = definitions.pop(CloudEvent.__name__)
    attributes = envelope["properties"]
    attributes["type"] = {"const": message_type.name}
    attributes["data"] = data
    attributes["id"]["minLength"] = attributes["source"]["minLength"] = 1
    _state_time(attributes["time"])
    command = definitions[message_type.command.__name__]
    for name in message_type.timestamps:
        _state_time(command["properties"][name])
    for definition in definitions.values():
        for field in definition["properties"].values():
            _state_decimal(field)
    return {
        "$schema": _DRAFT,
        **envelope,
        "title": message_type.name,
        "description": command["description"],
        "$defs": definitions,
    }


def _text_variants(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [variant for variant in schema.get("anyOf", [schema]) if variant.get("type") == "string"]


def _state_time(schema: dict[str, Any]) -> None:
    for variant in _text_variants(schema):
        variant |= {"format": "date-time", "pattern": _OFFSET}


def _state_decimal(schema: dict[str, Any]) -> None:
    for variant in _text_variants(schema):
        if variant.get("format") == "decimal":
            variant["pattern"] = _DECIMAL


def messages_page() -> str:
    """Return the page of all message types."""
    head = ("type", "topic", "stream and key", "meaning")
    rows = [
        (
            f"[`{each.name}`](messages/{each.name}.schema.json)",
            each.aggregate.topic,
            as_code(_stream(each)),
            described(each.command),
        )
        for each in MESSAGE_TYPES.values()
    ]
    attributes = as_code(*RejectedRow.__struct_fields__)
    rejected = (
        f"`{REJECTED_TYPE}` is written by the readers of files only. {described(RejectedRow)}\n"
        f"Its data: {attributes}.\n"
    )
    return page("Messages", _INTRO, table(head, rows), rejected)


def _stream(message_type: MessageType) -> str:
    """Return the pattern of a message's stream, from a command that holds the names of its fields."""
    names = {field.name: f"<{field.name}>" for field in fields(message_type.command)}
    return message_type.aggregate.stream_of(message_type.command(**names))
