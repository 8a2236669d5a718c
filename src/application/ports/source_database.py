"""A database that belongs to somebody else, read without leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from application.errors import PlatformError

Key = tuple[Any, ...]
"""The values of a row's key columns, as JSON can hold them, in the order of the key."""


class SourceTable(NamedTuple):
    """Rows of a source, and how to learn which of them changed.

    `query` gives the rows, `key` names the columns that identify one. Rows of a table that is part of another one
    carry in `group` the key of the row that they belong to; `root` is that other table, the table itself where it
    stands alone, and empty for a lookup table, which is small and belongs to every row.

    `version` is a column whose value differs after each change of a row; `changed` is one that grows with each
    change, a time or a number, and `overlap` (seconds, or units of the number) how far behind the highest value
    that was seen a transaction may still commit. With neither, all rows are read and compared. Where `deletes` is
    false, rows that are gone are not looked for. `topic` is where another system publishes the changes.
    """

    name: str
    query: str
    key: tuple[str, ...]
    root: str
    group: tuple[str, ...] = ()
    version: str | None = None
    changed: str | None = None
    overlap: float = 0
    deletes: bool = True
    topic: str | None = None


class ReadRow(NamedTuple):
    """A row by column, without its version column, and the mark to go on from after it, where its table has one."""

    values: dict[str, Any]
    version: str | None
    mark: str | None


class SourceSnapshot(Protocol):
    """One state of the source: all that is read from it belongs together."""

    def columns(self, table: SourceTable) -> list[str]:
        """Return the names of a table's columns; all that its rows will have, whether there are any or not."""

    def rows(self, table: SourceTable, since: str | None = None) -> Iterator[ReadRow]:
        """Yield all rows of a table, or those that changed since a mark, its overlap before it included.

        Where the table has a column `changed`, they come in its order and then the key's; memory stays constant.
        """

    def keys(self, table: SourceTable) -> Iterator[tuple[Key, str | None]]:
        """Yield the key and the version of every row; memory stays constant."""

    def fetch(self, table: SourceTable, keys: Sequence[Key]) -> Iterator[ReadRow]:
        """Yield the rows with the given keys; those that don't exist are left out."""


class SourceDatabase(Protocol):
    """A database of orders, products and the like, which is never written to."""

    def snapshot(self) -> AbstractContextManager[SourceSnapshot]:
        """Open a snapshot for reading only.

        Raises:
            SourceDatabaseError: the database does not answer or refuses, here or while the snapshot is read.
        """


class SourceDatabaseError(PlatformError):
    """The source database can't be read; the message is one line, without the password."""
