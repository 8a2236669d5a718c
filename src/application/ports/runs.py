"""Business days: up to which position each was run, and what was reported of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Known:
    """What was known besides the log when a day was fixed: messages by outcome, and open ones by their reason."""

    messages: Mapping[str, int]
    waiting: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check of the data that failed, and how many rows offended."""

    name: str
    severity: str
    offending: int


@dataclass(frozen=True, slots=True)
class Checked:
    """How many checks of the data were made for a day, and which of them failed."""

    checks: int
    failed: tuple[FailedCheck, ...]


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A day whose figures are those of the log up to `position`, from the moment it was fixed on.

    `digests` are those of the tables of gold at that position, by the version of the code that made them.
    """

    day: date
    position: int
    fixed_at: datetime
    known: Known
    checked: Checked | None = None
    digests: Mapping[str, str] | None = None


class Runs(Protocol):
    """The business days that were run, and their reports."""

    def fix(self, day: date, known: Known, due_again: datetime) -> BusinessDay:
        """Return a day as it was fixed; the first time, fix it, so that it stays the same whenever it is run again.

        A day is fixed at the end of the log. One that is run late, after `due_again`, is fixed at the last event
        recorded by then, as if it had been run in time; where nothing was recorded by then, at the end of the log.

        Raises:
            StoreUnavailableError: the database can't be reached.
        """

    def find(self, day: date) -> BusinessDay | None:
        """Return a day as it was fixed, None where it was not; raises as `fix` does."""

    def note(self, day: BusinessDay) -> None:
        """Keep what was checked and digested of a day; position and time stay. Raises as `fix` does."""

    def keep_report(self, day: date, document: bytes) -> None:
        """Keep the report of a day in place of an earlier one; raises as `fix` does."""

    def reports(self, first: date, last: date) -> dict[date, bytes]:
        """Return the reports kept of these days, both included, in order; raises as `fix` does."""


class Digests(Protocol):
    """Says what a star consists of, so that two can be told to be equal."""

    def __call__(self, build: str) -> tuple[int, dict[str, str]]:
        """Return the position of a kept build, or of the one named `live`, and the digest of each gold table.

        Digests don't depend on the order of rows. All are of one moment.

        Raises:
            ReadModelUnavailableError: the database can't be reached.
        """
