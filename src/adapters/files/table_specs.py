"""The sections [tables] and [topics] of a mapping: rows of a database, and messages of other systems."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from adapters.files.mapping import HEADER, TABLE_NAME, Mapping, converted, did_you_mean
from application.ports.file_source import MappingError
from application.ports.source_database import SourceTable


class TableSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a database; see `SourceTable`. `by` names the columns that hold the key of `of`, where they differ."""

    key: str | list[str]
    query: str | None = None
    of: str | None = None
    by: str | list[str] = []
    lookup: bool = False
    version: str | None = None
    changed: str | None = None
    overlap: float | None = None
    deletes: bool = True
    topic: str | None = None
    types: dict[str, str] = {}


class TopicSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A topic of another system, whose messages are JSON objects, one row each."""

    topic: str
    types: dict[str, str] = {}


class TypedTable(NamedTuple):
    """A table and the declared types of its columns."""

    table: SourceTable
    types: dict[str, str]


def typed_tables(mapping: Mapping) -> dict[str, TypedTable]:
    """Return the tables of a mapping, those of topics with them.

    Raises:
        MappingError: a section has mistakes, or there is none.
    """
    if not (mapping.tables or mapping.topics):
        raise MappingError(
            f"{HEADER}: it has no table; add [tables.<name>] for a database, [topics.<name>] for a topic"
        )
    specs = {name: converted(options, TableSpec, f"tables.{name}.") for name, options in mapping.tables.items()}
    typed = {name: TypedTable(_table(name, spec, specs), spec.types) for name, spec in specs.items()}
    for name, options in mapping.topics.items():
        topic = converted(options, TopicSpec, f"topics.{name}.")
        if not TABLE_NAME.fullmatch(name) or name in typed:
            raise _wrong(f"topics.{name}", "the name is another table's, or not one of letters, digits and _")
        table = SourceTable(name, "", ("_file",), name, ("_file",), topic=topic.topic)
        typed[name] = TypedTable(table, topic.types)
    return typed


def _table(name: str, spec: TableSpec, specs: dict[str, TableSpec]) -> SourceTable:
    where, key = f"tables.{name}", _listed(spec.key)
    _require(where, name, key, spec, specs)
    root, group = ("", ()) if spec.lookup else (name, key)
    if spec.of is not None:
        root, group = spec.of, _listed(spec.by) or _listed(specs[spec.of].key)
        if len(group) != len(_listed(specs[spec.of].key)):
            raise _wrong(where, f"by names one column for each of the key of {spec.of}")
    # A row that moves to another group is gone from the one and new in the other.
    identity = (*key, *(each for each in group if each not in key))
    return SourceTable(
        name=name,
        query=spec.query or f"SELECT * FROM {name}",
        key=identity,
        root=root,
        group=group,
        version=spec.version,
        changed=spec.changed,
        overlap=spec.overlap or 0,
        deletes=spec.deletes,
        topic=spec.topic,
    )


def _require(where: str, name: str, key: tuple[str, ...], spec: TableSpec, specs: dict[str, TableSpec]) -> None:
    roots = [other for other, each in specs.items() if each.of is None and not each.lookup]
    if not TABLE_NAME.fullmatch(name):
        raise _wrong(where, "the name of a table starts with a letter and has letters, digits and _ only")
    if not key:
        raise _wrong(where, "key names the columns that identify a row")
    if spec.of is not None and spec.of not in roots:
        raise _wrong(where, f"of = {spec.of!r} is not a table on its own; {did_you_mean(spec.of, roots)}")
    if spec.of is not None and spec.lookup:
        raise _wrong(where, "a table is part of another one or a lookup, not both")
    if spec.changed is not None and spec.overlap is None:
        raise _wrong(
            where, "overlap is missing: the longest time, in seconds, that a transaction there takes to commit"
        )
    if spec.version is not None and spec.changed is not None:
        raise _wrong(where, "either version or changed tells what changed, not both")


def _listed(names: str | list[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _wrong(where: str, problem: str) -> Any:
    return MappingError(f"{HEADER}: {where}: {problem}")
