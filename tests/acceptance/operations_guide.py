"""What docs/operations.md tells its reader to type: the commands of its blocks, and names in its text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Template
from typing import NamedTuple

GUIDE = Path(__file__).parents[2] / "docs" / "operations.md"
DRAWINGS = frozenset({"mermaid"})
"""Blocks that hold no commands; lines of any other are taken for commands, so that none is overlooked."""
_FENCE = re.compile(r"\s*(?:```|~~~)(.*)")
_INDENTED = re.compile(r" {4,}\S")
_OPERATOR = re.compile(r"[|&;<>]+|.*[`(].*")


class Command(NamedTuple):
    """A line of a block: the section and line that it stands in, and its words without the comment."""

    section: str
    number: int
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The line as a table names it."""
        return " ".join(self.words)

    @property
    def sets(self) -> tuple[str, ...]:
        """The assignments of an `export`, or before the command."""
        words = self.words[1:] if self.words[0] == "export" else self.words
        return words[: next((n for n, word in enumerate(words) if not re.match(r"\w+=", word)), len(words))]

    @property
    def is_dataflow(self) -> bool:
        """Whether it runs the platform's command."""
        return self.words[len(self.sets) :][:1] == ("dataflow",)

    @property
    def is_export(self) -> bool:
        """Whether it sets variables for what comes after it."""
        return self.words[0] == "export"

    def arguments(self, environment: Mapping[str, str]) -> list[str]:
        """Return the arguments of `dataflow`, with variables as the shell fills them in."""
        assert not any(_OPERATOR.fullmatch(word) for word in self.words), f"line {self.number}: more than one command"
        return [Template(word).substitute(environment) for word in self.words[len(self.sets) + 1 :]]


@cache
def commands() -> tuple[Command, ...]:
    """Return the commands of all blocks, in their order; a line that no block holds, but an indent, is one as well."""
    return tuple(_commands())


def _commands() -> Iterator[Command]:
    section, kind = "", None
    for number, line in enumerate(GUIDE.read_text(encoding="utf-8").splitlines(), 1):
        if fence := _FENCE.fullmatch(line):
            kind = fence[1] if kind is None else None
        elif kind is None and line.startswith("## "):
            section = line.removeprefix("## ")
        elif (_INDENTED.match(line) if kind is None else kind not in DRAWINGS) and (
            words := shlex.split(line, comments=True)
        ):
            yield Command(section, number, tuple(words))


def text_commands() -> list[tuple[str, ...]]:
    """Return the words of each `dataflow ...` that stands within the text."""
    text = re.sub(r"```.*?```", "", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [tuple(found.split()) for found in re.findall(r"`dataflow ([^`]+)`", text)]


def names(pattern: str) -> set[str]:
    """Return all that the guide names in such a way, in text and blocks."""
    return set(re.findall(pattern, GUIDE.read_text(encoding="utf-8")))
