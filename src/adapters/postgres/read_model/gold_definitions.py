"""Gold definitions: one SQL file per table, a SELECT over silver under a header of directives."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_DIRECTIVE = re.compile(r"--\s*([a-z][a-z0-9_ ]*?\??)\s*:\s*(.*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SINGLE = ("comment", "key", "scope", "grows by", "grows to", "materialized")
_GROUPS = ("touched by", "references", "column", "since")


class InvalidGoldDefinitionError(Exception):
    """A gold file's header does not say what it must; the message names the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class Column(NamedTuple):
    """What is said of a column; `required` ones are never null."""

    comment: str
    required: bool


class Since(NamedTuple):
    """The column of which new events of a subject change only the end, and the query for scopes and where it begins."""

    column: str
    query: str


class Index(NamedTuple):
    """The columns of an index, those that it holds beside them, so that queries need no row, and the rows it is of.

    With `elements`, the columns are arrays, and rows are found by what is in them.
    """

    columns: tuple[str, ...]
    including: tuple[str, ...] = ()
    where: str = ""
    elements: bool = False


@dataclass(frozen=True, slots=True)
class GoldDefinition:
    """A gold table: the SELECT that is its content, and how the live refresh finds what to select again.

    `touched` gives, by subject, the query for the scope values that changed streams touch, and `since`, for
    subjects that change only the end of a scope, where that end begins. A table without scope is filled once,
    when it is created. A table that `grows_by` a column gets rows up to the value that the query `grows_to`
    gives, in all scopes, whenever that value rises. What is not `materialized` stays a view. `references` gives,
    by column, the table whose key it holds; `checks` are conditions that each row meets.
    """

    name: str
    comment: str
    key: tuple[str, ...]
    select: str
    scope: str | None
    touched: Mapping[str, str]
    grows_by: str | None
    grows_to: str | None
    indexes: tuple[Index, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    since: Mapping[str, Since] = field(default_factory=dict)
    materialized: bool = True


class _Header:
    """The directives of a file, sorted; `groups` holds those that take a name, by their first word."""

    def __init__(self, path: Path, directives: list[tuple[str, str]]) -> None:
        self._path = path
        self.single: dict[str, str] = {}
        self.groups: dict[str, dict[str, str]] = {group: {} for group in _GROUPS}
        self.indexes: list[Index] = []
        self.checks: list[str] = []
        for directive, value in directives:
            if not value:
                raise InvalidGoldDefinitionError(path, f"'{directive}' says nothing")
            self._take(directive, value)

    def _take(self, directive: str, value: str) -> None:
        group, _, name = directive.rpartition(" ")
        if directive == "index":
            named, _, where = value.partition(" where ")
            columns, _, including = named.partition(" including ")
            covered = _columns(self._path, including) if including else ()
            self.indexes.append(Index(_columns(self._path, columns), covered, where))
        elif directive == "gin index":
            self.indexes.append(Index(_columns(self._path, value), elements=True))
        elif directive == "check":
            self.checks.append(value)
        elif directive in _SINGLE and directive not in self.single:
            self.single[directive] = value
        elif group in self.groups and name not in self.groups[group]:
            self.groups[group][name] = value
        else:
            raise InvalidGoldDefinitionError(self._path, f"'{directive}' is not known, or stands twice")


def read_definitions(folder: Path, subjects: Collection[str]) -> tuple[GoldDefinition, ...]:
    """Read all `.sql` files of a folder, in the order of their names.

    Raises:
        InvalidGoldDefinitionError: a header is malformed, or names a subject that does not exist.
    """
    return tuple(read_definition(path, subjects) for path in sorted(folder.glob("*.sql")))


def read_definition(path: Path, subjects: Collection[str]) -> GoldDefinition:
    """Read one file; raises as `read_definitions` does."""
    directives, select = _split(path.read_text(encoding="utf-8"))
    header = _Header(path, directives)
    _check(path, header, subjects)
    if not _NAME.fullmatch(path.stem):
        raise InvalidGoldDefinitionError(path, "the file's name is not a table's name")
    if not select.lower().startswith(("select", "with")):
        raise InvalidGoldDefinitionError(path, "the header is not followed by a SELECT")
    single, groups = header.single, header.groups
    return GoldDefinition(
        name=path.stem,
        comment=single["comment"],
        key=_columns(path, single["key"]),
        select=select,
        scope=single.get("scope"),
        touched=groups["touched by"],
        grows_by=single.get("grows by"),
        grows_to=single.get("grows to"),
        indexes=tuple(header.indexes),
        columns={
            name.removesuffix("?"): Column(comment, not name.endswith("?"))
            for name, comment in groups["column"].items()
        },
        references={column: table for table, value in groups["references"].items() for column in _columns(path, value)},
        checks=tuple(header.checks),
        since={subject: _since(path, value) for subject, value in groups["since"].items()},
        materialized=single.get("materialized", "yes") == "yes",
    )


def _split(text: str) -> tuple[list[tuple[str, str]], str]:
    lines = text.splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    matches = [_DIRECTIVE.fullmatch(line.rstrip()) for line in lines[:end]]
    header = [(match[1], match[2]) for match in matches if match]
    return header, "\n".join(lines[end:]).strip().rstrip(";").rstrip()


def _check(path: Path, header: _Header, subjects: Collection[str]) -> None:
    for reason in _mistakes(header, subjects):
        raise InvalidGoldDefinitionError(path, reason)


def _mistakes(header: _Header, subjects: Collection[str]) -> Iterator[str]:
    single, touched, since = header.single, header.groups["touched by"], header.groups["since"]
    yield from (f"the header has no '{required}'" for required in ("comment", "key") if required not in single)
    if single.get("materialized", "yes") not in {"yes", "no"}:
        yield "'materialized' is yes or no"
    yield from (f"'touched by {subject}' is not known" for subject in touched if subject not in subjects)
    if ("scope" in single) != bool(touched):
        yield "'scope' and 'touched by' go together, or neither stands"
    yield from (f"'since {subject}' needs a 'touched by {subject}'" for subject in since if subject not in touched)
    for column in ("scope", "grows by"):
        if column in single and not _NAME.fullmatch(single[column]):
            yield f"'{column}' is one column, not {single[column]!r}"
    if ("grows by" in single) != ("grows to" in single) or ("grows by" in single and "scope" not in single):
        yield "'grows by' and 'grows to' go together, with a 'scope'"
    for subject, query in touched.items():
        if "%(ids)s" not in query:
            yield f"'touched by {subject}' does not use %(ids)s"


def _since(path: Path, value: str) -> Since:
    column, _, query = value.partition(" ")
    if not _NAME.fullmatch(column) or not query:
        raise InvalidGoldDefinitionError(path, f"'since' takes a column and a query, not {value!r}")
    return Since(column, query)


def _columns(path: Path, value: str) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in value.split(","))
    if not all(_NAME.fullmatch(column) for column in columns):
        raise InvalidGoldDefinitionError(path, f"{value!r} is not a list of columns")
    return columns
