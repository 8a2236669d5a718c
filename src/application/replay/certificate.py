"""The proof that two builds of the read models are equal: row counts and digests, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

MAX_DIFFERENCES = 20
"""Rows that are named of each table that differs."""
MAX_EVENTS = 20
"""Events that are shown behind each of them, the latest ones."""

Purpose = Literal["rebuild", "verify", "sample"]


@dataclass(frozen=True, slots=True)
class EventBehind:
    """An event behind a row; `description` is its fields as short text."""

    position: int
    stream_id: str
    version: int
    topic: str
    occurred_at: datetime
    description: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A key whose rows differ; a row is None where that side has none.

    `events` are those of the row's stream from the first to the last position of either row: in order, and of
    many the latest. A row that belongs to no single stream has none.
    """

    key: Mapping[str, Any]
    live: Mapping[str, Any] | None
    rebuilt: Mapping[str, Any] | None
    events: tuple[EventBehind, ...] = ()

    def columns(self) -> list[str]:
        """Return the names of the columns that differ; none where one side has no row."""
        if self.live is None or self.rebuilt is None:
            return []
        names = dict.fromkeys((*self.live, *self.rebuilt))
        return [name for name in names if self.live.get(name) != self.rebuilt.get(name)]


@dataclass(frozen=True, slots=True)
class TableCertificate:
    """One table, live and rebuilt.

    A digest is the sum of a 64-bit hash of every row, so it does not depend on the order of rows. Rows and
    digest are None where that side has no such table, digests also where only a sample was compared. `equal`
    holds if columns, rows and digests are equal. `columns` lists those that one side alone has (`-` live, `+`
    rebuilt); `differing` counts the keys whose rows differ in the columns of both, `differences` names the first.
    """

    table: str
    rows_live: int | None
    rows_rebuilt: int | None
    digest_live: str | None
    digest_rebuilt: str | None
    equal: bool
    columns: tuple[str, ...] = ()
    differing: int = 0
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """All tables, live and rebuilt, as of one position of the log.

    `code_version` names the code that built and compared, `event_versions` every topic that it can read.
    `number` is the one under which the certificate is kept. Of a sample, `streams` is how many streams were
    folded again, and `seed` chooses the same ones again. Where what was swapped in goes beyond that position, which is
    where the live tables stood, `built_on_to` is how far: the same code built it of the same log.
    """

    position: int
    tables: tuple[TableCertificate, ...]
    purpose: Purpose
    code_version: str
    event_versions: tuple[str, ...]
    started_at: datetime
    ended_at: datetime
    number: int | None = None
    streams: int | None = None
    seed: int | None = None
    built_on_to: int | None = None

    @property
    def equal(self) -> bool:
        """Whether every table is equal."""
        return all(table.equal for table in self.tables)

    def report(self) -> dict[str, Any]:
        """Return the certificate as plain data; times and decimals are left to the encoder."""
        return {"equal": self.equal, **asdict(self)}


class CertificateEntry(NamedTuple):
    """A kept certificate in a list; `swapped` without `equal` is a change that was accepted."""

    number: int
    purpose: Purpose
    position: int
    equal: bool
    swapped: bool
    code_version: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `certificate` is None where there was nothing live to compare with.

    `locked_seconds` is how long the swap kept readers waiting; None where nothing was swapped.
    """

    position: int
    events: int
    swapped: bool
    certificate: Certificate | None
    locked_seconds: float | None = None
