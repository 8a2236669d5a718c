"""A mapping from rows of a source, or JSON of a topic, to commands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from application.ingest.messages import RejectedRow
from application.ports.source_database import SourceTable
from application.ports.source_ledger import KeptRow


class MappedRow(NamedTuple):
    """What a row of a SELECT says: a command, or why it can't become one.

    `select` and `key` identify it, now and in later readings; `origin` says where it was read, for people;
    `group` is the group of rows that it was made from, `topic` where its message travels. `changed` is when the
    source changed it, and `given_id` its identity, where the SELECT tells.
    """

    select: str
    key: str
    origin: str
    group: str
    topic: str
    command: Any
    rejected: RejectedRow | None = None
    correlation: str | None = None
    changed: datetime | None = None
    given_id: str | None = None


class RowMapping(Protocol):
    """A mapping folder, read and checked."""

    @property
    def name(self) -> str:
        """The name of the mapping: part of every message's identity."""

    @property
    def tables(self) -> Mapping[str, SourceTable]:
        """The tables that its SELECTs read, in the order of the mapping."""

    def describe(self, columns: Mapping[str, Collection[str]]) -> Mapping[str, Collection[str]]:
        """Check the SELECTs against the columns of the tables; return the roots that each lookup table is joined to.

        Raises:
            MappingError: something in the mapping is wrong; it names the file, the column and what to do.
        """

    def map(self, root: str, rows: Iterable[KeptRow]) -> Sequence[MappedRow]:
        """Run the SELECTs on the tables of a root over these rows; on lookup tables and none, where root is empty.

        Raises:
            MappingError: a SELECT fails on a value.
        """
