"""A silver table: a row class whose fields are the columns, and its key."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from application.projections.glossary import GLOSSARY


class Table:
    """A table of silver rows.

    The row class is a dataclass with slots, or a NamedTuple; its fields, in order, are the columns, its
    annotations the types (str, int, bool, Decimal, float, date, datetime, each perhaps `| None`), and its docstring
    the table's comment; the glossary says what each column means. Every row class starts with `stream_id: str` and
    ends with `first_position: int` and `last_position: int`, the events behind the row. `key` names the primary
    key's columns. Rows of a table with `append_only` are written once, as events come, and never loaded or changed.
    `indexes` are further ones.
    """

    def __init__(
        self,
        name: str,
        row: type,
        key: tuple[str, ...],
        *,
        append_only: bool = False,
        indexes: tuple[tuple[str, ...], ...] = (),
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.append_only = append_only
        self.indexes = indexes
        self.comment = " ".join((inspect.getdoc(row) or "").split())
        self.columns = tuple(field.name for field in fields(row)) if is_dataclass(row) else _fields(row)
        self.comments = {column: GLOSSARY[column] for column in self.columns if column in GLOSSARY}
        self.values = attrgetter(*self.columns) if is_dataclass(row) else tuple

    def make(self, values: tuple[Any, ...]) -> Any:
        """Build a row from a tuple of its column values."""
        return self.row(*values)


def _fields(row: Any) -> tuple[str, ...]:
    return tuple(row._fields)
