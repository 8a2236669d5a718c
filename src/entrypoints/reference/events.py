"""The page of all events, by aggregate, and of the values that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args

from application.aggregates import AGGREGATE_OF_EVENT, AGGREGATES
from application.codec import EVENT_TYPES
from entrypoints.reference.markdown import described, field_types, fields_table, page

_INTRO = """\
An event is stored as `{"meta": {...}, "data": {...}}` in JSON beside its topic; these are the fields of its
data. Timestamps are RFC 3339 with an offset, dates ISO 8601, decimals text. The id of an event is its stream
and version, as in `order-10248:3`. A topic never changes its shape: another shape is another version.
"""


def events_page() -> str:
    """Return the page."""
    parts = [_INTRO]
    values: dict[Any, None] = {}
    for aggregate in AGGREGATES:
        parts.append(f"## {aggregate.topic.capitalize()}\n")
        for topic, event in EVENT_TYPES.items():
            if AGGREGATE_OF_EVENT[event] is aggregate:
                parts.append(_section(topic, event))
                values |= dict.fromkeys(_values_in(event))
    parts.append("## Values in events\n")
    parts += [_section(value.__name__, value) for value in values]
    return page("Events", *parts)


def _section(title: str, documented: type) -> str:
    return f"### {title}\n\n{described(documented)}\n\n{fields_table(documented)}"


def _values_in(event: type) -> Iterator[Any]:
    for hint in field_types(event).values():
        yield from (each for each in get_args(hint) if is_dataclass(each))
