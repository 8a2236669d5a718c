"""The proof that two builds of the read models are equal: row counts and digests, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MAX_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """A key whose rows differ; a row is None where that side has none."""

    key: Mapping[str, Any]
    live: Mapping[str, Any] | None
    rebuilt: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class TableCertificate:
    """One table, live and rebuilt.

    A digest is the sum of a 64-bit hash of every row, so it does not depend on the order of rows. Rows and
    digest are None where that side has no such table. `equal` holds if columns, rows and digests are equal;
    `differences` names the first keys that differ.
    """

    table: str
    rows_live: int | None
    rows_rebuilt: int | None
    digest_live: str | None
    digest_rebuilt: str | None
    equal: bool
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """All tables, live and rebuilt, as of one position of the log."""

    position: int
    tables: tuple[TableCertificate, ...]

    @property
    def equal(self) -> bool:
        """Whether every table is equal."""
        return all(table.equal for table in self.tables)

    def report(self) -> dict[str, Any]:
        """Return the certificate as plain data, ready for JSON."""
        return {"equal": self.equal, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `certificate` is None where there was nothing live to compare with."""

    position: int
    events: int
    swapped: bool
    certificate: Certificate | None
