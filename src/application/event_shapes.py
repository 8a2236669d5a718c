"""Shapes of events: structs with the fields of the domain's records, which take half the time to decode.

A fold only reads an event's fields, so it may be given either. For `isinstance`, a shape is of the class that it stands
for; what is looked up by the type of an event must be known by its shape too: `by_event` sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

V = TypeVar("V")


@cache
def shape(record: type) -> type:
    """Return the struct that has the fields of a record; those of records within it are shapes as well."""
    hints = get_type_hints(record)
    definitions: list[Any] = [
        (each.name, _shaped(hints[each.name]), *([] if each.default is MISSING else [each.default]))
        for each in fields(record)
    ]
    name, stands_for = f"{record.__name__}Shape", {"__class__": property(lambda _: record)}
    return msgspec.defstruct(name, definitions, namespace=stands_for, kw_only=True, frozen=True, gc=False)


def by_event(known: Mapping[type, V]) -> dict[type, V]:
    """Return what is known by the classes of events, known by their shapes as well."""
    return {**known, **{shape(event): value for event, value in known.items()}}


def _shaped(hint: Any) -> Any:
    if is_dataclass(hint):
        return shape(hint)  # type: ignore[arg-type]
    arguments = tuple(map(_shaped, get_args(hint)))
    if get_origin(hint) in {UnionType, Union}:
        return reduce(or_, arguments)
    return tuple[arguments] if get_origin(hint) is tuple else hint  # type: ignore[valid-type]
