"""The page of the checks of the data."""

from __future__ import annotations

from application.quality.check import Severity
from application.quality.definitions import CHECKS
from entrypoints.reference.markdown import as_code, described, page, table


def quality_page() -> str:
    """Return the page."""
    rows = [(as_code(each.name), each.severity.value, each.description) for each in CHECKS]
    return page("Checks of the data", f"{described(Severity)}\n", table(("check", "severity", "what must hold"), rows))
