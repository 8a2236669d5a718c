"""A silver table: a row class whose fields are the columns, and its key."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any


class Table:
    """A table of silver rows.

    The row class is a dataclass with slots; its fields, in order, are the columns, its annotations the
    types (str, int, bool, Decimal, float, date, datetime, each perhaps `| None`), and its docstring the
    table's comment. Every row class starts with `stream_id: str` and ends with `first_position: int` and
    `last_position: int`, the events behind the row. `key` names the primary key's columns. Rows of a table
    with `append_only` are written once, as events come, and never loaded or changed.
    """

    def __init__(self, name: str, row: type, key: tuple[str, ...], *, append_only: bool = False) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.append_only = append_only
        self.columns = tuple(field.name for field in fields(row))
        self.values = attrgetter(*self.columns)

    def make(self, values: tuple[Any, ...]) -> Any:
        """Build a row from a tuple of its column values."""
        return self.row(*values)
