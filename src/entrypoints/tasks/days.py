"""A business day, step by step; a day is given as YYYY-MM-DD."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from entrypoints import daily
from entrypoints.cli.context import platform
from entrypoints.report import write_all


def fix(day: str) -> dict[str, Any]:
    """Fix the position that the day's figures are made up to, or return it as it was fixed."""
    with platform() as container:
        run = daily.fix(container, date.fromisoformat(day))
        return {"day": day, "position": run.position, "fixed_at": run.fixed_at.isoformat()}


def transform(day: str) -> dict[str, Any]:
    """Bring the read models to the day's position, unless they are beyond it; return where they are."""
    with platform() as container:
        return {"day": day, "position": daily.catch_up(container, date.fromisoformat(day))}


def load(day: str) -> dict[str, Any]:
    """Digest gold at the day's position, live or built aside; raises StarChangedError where it gave others before."""
    with platform() as container:
        run = daily.digest(container, date.fromisoformat(day))
        return {"day": day, "position": run.position, "digests": dict(run.digests or {})}


def check(day: str) -> dict[str, Any]:
    """Check the data; raises QualityError where a check that is marked as an error fails."""
    with platform() as container:
        checked = daily.check(container, date.fromisoformat(day))
        return {"day": day, **msgspec.to_builtins(checked)}


def report(day: str) -> dict[str, Any]:
    """Make the day's report, keep it, and write it in all formats below the folder for artefacts."""
    with platform() as container:
        made = daily.make(container, date.fromisoformat(day))
        files = write_all(made, container.settings().artefacts / "reports")
        return {"day": day, "position": made.position, "files": [str(file) for file in files]}
