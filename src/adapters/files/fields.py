"""Whether the columns of a SELECT are the fields of its command."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from duckdb.sqltypes import DuckDBPyType

from adapters.files.mapping import did_you_mean
from application.ports.file_source import MappingError

EXTRAS: dict[str, type] = {"_file": str, "_line": int, "_id": str, "_correlation": str, "_changed": datetime}
_INTEGERS = {
    *("tinyint", "smallint", "integer", "bigint", "hugeint"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
}
_TIMESTAMPS = {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"}
_FITTING: dict[Any, tuple[Collection[str], str]] = {
    str: ({"varchar", "enum"}, "VARCHAR"),
    int: (_INTEGERS, "INTEGER"),
    float: ({"float", "double", "decimal", *_INTEGERS}, "DOUBLE"),
    Decimal: ({"decimal", *_INTEGERS}, "DECIMAL(18, 4)"),
    date: ({"date"}, "DATE"),
    datetime: ({"date", *_TIMESTAMPS}, "TIMESTAMP"),
}


class _Rows(NamedTuple):
    """The rows that a SELECT, or a list in it, gives: where they stand and what they should become."""

    file: str
    path: str
    cls: type
    extras: Mapping[str, type]
    given: Collection[str]


def check_columns(file: str, command: type, columns: Mapping[str, DuckDBPyType], given: Collection[str]) -> None:
    """Check that the columns are fields of the command, of fitting types, and none is missing.

    `given` are fields that the mapping itself gives where the SELECT doesn't.

    Raises:
        MappingError: it names the file, the column and what to do.
    """
    _check_fields(_Rows(file, "", command, EXTRAS, given), columns)


def _check_fields(rows: _Rows, columns: Mapping[str, DuckDBPyType]) -> None:
    hints = {**get_type_hints(rows.cls), **rows.extras}
    known = [field.name for field in fields(rows.cls)]
    for column, found in columns.items():
        path = rows.path + column
        if column not in known and column not in rows.extras:
            raise MappingError(
                f"{rows.file}: {path} is not a field of {rows.cls.__name__}; {did_you_mean(column, known)}"
            )
        _check_type(rows.file, path, hints[column], found)
    for field in fields(rows.cls):
        if field.default is MISSING and field.name not in columns and field.name not in rows.given:
            raise MappingError(f"{rows.file}: {rows.cls.__name__} needs a column {rows.path}{field.name}")


def _check_type(file: str, path: str, hint: Any, found: DuckDBPyType) -> None:
    wanted = next(each for each in get_args(hint) if each is not NoneType) if _optional(hint) else hint
    if found.id == "null":
        return
    if get_origin(wanted) is tuple:
        _check_list(file, path, get_args(wanted)[0], found)
    elif found.id not in _FITTING[wanted][0]:
        raise MappingError(f"{file}: {path} is {found}; cast it to {_FITTING[wanted][1]}")


def _optional(hint: Any) -> bool:
    return NoneType in get_args(hint)


def _check_list(file: str, path: str, cls: type, found: DuckDBPyType) -> None:
    element = _children(found)["child"] if found.id == "list" else None
    if element is None or element.id != "struct":
        row = ", ".join(f"{field.name}: ..." for field in fields(cls))
        raise MappingError(f"{file}: {path} is {found}; it takes a list of rows: list({{{row}}})")
    _check_fields(_Rows(file, f"{path}.", cls, {}, ()), _children(element))


def _children(found: DuckDBPyType) -> dict[str, DuckDBPyType]:
    return {name: child for name, child in found.children if isinstance(child, DuckDBPyType)}
