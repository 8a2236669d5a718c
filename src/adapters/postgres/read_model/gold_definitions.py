"""Gold definitions: one SQL file per table, a SELECT over silver under a header of directives."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

_DIRECTIVE = re.compile(r"--\s*([a-z][a-z ]*?)\s*:\s*(.*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SINGLE = ("comment", "key", "scope", "grows by", "grows to")
_TOUCHED_BY = "touched by "


class InvalidGoldDefinitionError(Exception):
    """A gold file's header does not say what it must; the message names the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class GoldDefinition:
    """A gold table: the SELECT that is its content, and how the live refresh finds what to select again.

    `touched` gives, by subject, the query for the scope values that changed streams touch. A table without
    scope is filled once, when it is created. A table that `grows_by` a column gets rows up to the value that
    the query `grows_to` gives, in all scopes, whenever that value rises.
    """

    name: str
    comment: str
    key: tuple[str, ...]
    select: str
    scope: str | None
    touched: Mapping[str, str]
    grows_by: str | None
    grows_to: str | None
    indexes: tuple[tuple[str, ...], ...]


def read_definitions(folder: Path, subjects: Collection[str]) -> tuple[GoldDefinition, ...]:
    """Read all `.sql` files of a folder, in the order of their names.

    Raises:
        InvalidGoldDefinitionError: a header is malformed, or names a subject that does not exist.
    """
    return tuple(_read(path, subjects) for path in sorted(folder.glob("*.sql")))


def _read(path: Path, subjects: Collection[str]) -> GoldDefinition:
    header, select = _split(path.read_text(encoding="utf-8"))
    single: dict[str, str] = {}
    touched: dict[str, str] = {}
    indexes = []
    for directive, value in header:
        subject = directive.removeprefix(_TOUCHED_BY)
        if not value:
            raise InvalidGoldDefinitionError(path, f"'{directive}' says nothing")
        if directive == "index":
            indexes.append(_columns(path, value))
        elif directive in _SINGLE and directive not in single:
            single[directive] = value
        elif subject != directive and subject in subjects and subject not in touched:
            touched[subject] = value
        else:
            raise InvalidGoldDefinitionError(path, f"'{directive}' is not known, or stands twice")
    _check(path, single, touched)
    if not _NAME.fullmatch(path.stem):
        raise InvalidGoldDefinitionError(path, "the file's name is not a table's name")
    if not select.lower().startswith(("select", "with")):
        raise InvalidGoldDefinitionError(path, "the header is not followed by a SELECT")
    return GoldDefinition(
        name=path.stem,
        comment=single["comment"],
        key=_columns(path, single["key"]),
        select=select,
        scope=single.get("scope"),
        touched=touched,
        grows_by=single.get("grows by"),
        grows_to=single.get("grows to"),
        indexes=tuple(indexes),
    )


def _split(text: str) -> tuple[list[tuple[str, str]], str]:
    lines = text.splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    matches = [_DIRECTIVE.fullmatch(line.rstrip()) for line in lines[:end]]
    header = [(match[1], match[2]) for match in matches if match]
    return header, "\n".join(lines[end:]).strip().rstrip(";").rstrip()


def _check(path: Path, single: Mapping[str, str], touched: Mapping[str, str]) -> None:
    for required in ("comment", "key"):
        if required not in single:
            raise InvalidGoldDefinitionError(path, f"the header has no '{required}'")
    if ("scope" in single) != bool(touched):
        raise InvalidGoldDefinitionError(path, "'scope' and 'touched by' go together, or neither stands")
    for column in ("scope", "grows by"):
        if column in single and not _NAME.fullmatch(single[column]):
            raise InvalidGoldDefinitionError(path, f"'{column}' is one column, not {single[column]!r}")
    if ("grows by" in single) != ("grows to" in single) or ("grows by" in single and "scope" not in single):
        raise InvalidGoldDefinitionError(path, "'grows by' and 'grows to' go together, with a 'scope'")
    for subject, query in touched.items():
        if "%(ids)s" not in query:
            raise InvalidGoldDefinitionError(path, f"'touched by {subject}' does not use %(ids)s")


def _columns(path: Path, value: str) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in value.split(","))
    if not all(_NAME.fullmatch(column) for column in columns):
        raise InvalidGoldDefinitionError(path, f"{value!r} is not a list of columns")
    return columns
