"""Pages, tables and types in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from inspect import getdoc
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

_GENERATED = "Written by `python -m entrypoints.reference` from the code; change the code, not this page.\n"
_TYPE_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "integer",
    bool: "boolean",
    float: "number",
    Decimal: "decimal",
    date: "date",
    datetime: "timestamp",
}


def page(title: str, *parts: str) -> str:
    """Return a page of parts that each end with a line break."""
    return "\n".join([f"# {title}\n", _GENERATED, *parts])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; its cells may hold any text without line breaks."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_code(*names: str) -> str:
    """Return names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def described(documented: object) -> str:
    """Return the docstring of a class or function as one line."""
    return " ".join((getdoc(documented) or "").split())


def field_types(cls: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, in order, with their types."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def fields_table(cls: Any) -> str:
    """Return the table of a dataclass's fields."""
    return table(("field", "type"), [(as_code(name), type_name(hint)) for name, hint in field_types(cls).items()])


def type_name(hint: Any) -> str:
    """Return the name of a field's type, in words that fit JSON and SQL alike."""
    arguments = get_args(hint)
    if NoneType in arguments:
        return f"{type_name(next(each for each in arguments if each is not NoneType))} or null"
    if get_origin(hint) is tuple:
        return f"list of {arguments[0].__name__}"
    return _TYPE_NAMES[hint]
