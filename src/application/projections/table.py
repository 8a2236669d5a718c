"""A silver table: a row class whose fields are the columns, and its key."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

_COMMENT = re.compile(r"^([a-z_]+): (.+)$", re.MULTILINE)


class Table:
    """A table of silver rows.

    The row class is a dataclass with slots, or a NamedTuple; its fields, in order, are the columns, its
    annotations the types (str, int, bool, Decimal, float, date, datetime, each perhaps `| None`). Its docstring is
    the table's comment, and below that a line `column: comment` for each column. Every row class starts with
    `stream_id: str` and ends with `first_position: int` and `last_position: int`, the events behind the row.
    `key` names the primary key's columns. Rows of a table with `append_only` are written once, as events come, and
    never loaded or changed. `indexes` are further ones; `references` gives, by columns, the table of silver whose
    key they hold; `checks` are conditions in SQL that each row meets.
    """

    def __init__(
        self,
        name: str,
        row: type,
        key: tuple[str, ...],
        *,
        append_only: bool = False,
        indexes: tuple[tuple[str, ...], ...] = (),
        references: Mapping[tuple[str, ...], str] | None = None,
        checks: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.append_only = append_only
        self.indexes = indexes
        self.references = references or {}
        self.checks = checks
        text = inspect.getdoc(row) or ""
        self.comment = text.partition("\n")[0]
        self.comments = dict(_COMMENT.findall(text))
        self.columns = tuple(field.name for field in fields(row)) if is_dataclass(row) else _fields(row)
        self.values = attrgetter(*self.columns) if is_dataclass(row) else tuple

    def make(self, values: tuple[Any, ...]) -> Any:
        """Build a row from a tuple of its column values."""
        return self.row(*values)


def _fields(row: Any) -> tuple[str, ...]:
    return tuple(row._fields)
