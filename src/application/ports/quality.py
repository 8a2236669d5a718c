"""Quality: runs checks on the data, and keeps what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.quality.check import Check, Severity


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: how many rows offend, and the keys of some of them."""

    name: str
    kind: str
    severity: Severity
    description: str
    offending: int
    keys: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether nothing offends."""
        return not self.offending


@dataclass(frozen=True, slots=True)
class QualityRun:
    """One run of checks, all within one moment of the data, and the position of the read models then."""

    run_id: int
    checked_at: datetime
    position: int
    results: tuple[CheckResult, ...]

    def failures(self, severity: Severity) -> tuple[CheckResult, ...]:
        """Return the failed checks of a severity."""
        return tuple(each for each in self.results if not each.passed and each.severity is severity)


class Quality(Protocol):
    """The checks' runner and memory."""

    def run(self, checks: Sequence[Check]) -> QualityRun:
        """Run the checks on the live tables and record what they found.

        Raises:
            ReadModelUnavailableError: the database can't be reached.
        """

    def last(self) -> QualityRun | None:
        """Return the last run, None before the first."""
