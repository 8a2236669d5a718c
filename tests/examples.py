"""An example of any command or event, from the types of its fields: every text is "10248", every number 3."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

VALUES: dict[Any, Any] = {
    str: "10248",
    int: 3,
    float: 12.5,
    Decimal: Decimal("14.250000"),
    date: date(1996, 7, 16),
    datetime: datetime(1996, 7, 4, 8, 30, tzinfo=UTC),
}


def example(cls: Any, *, required_only: bool = False, **given: Any) -> Any:
    """Return an example; what is given stands in it as it is, what has a default may be left out."""
    hints = get_type_hints(cls)
    stated = [each for each in fields(cls) if not required_only or each.default is MISSING]
    return cls(**{each.name: _value_of(hints[each.name]) for each in stated} | given)


def _value_of(hint: Any) -> Any:
    if NoneType in get_args(hint):
        return _value_of(next(each for each in get_args(hint) if each is not NoneType))
    if get_origin(hint) is tuple:
        return (example(get_args(hint)[0]),)
    return VALUES[hint]
