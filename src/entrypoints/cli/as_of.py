"""The star as it was known: how a moment and a kept build are given on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from application.ports.analytics import Analytics
from entrypoints.container import Container


class Moment(click.ParamType[datetime | int]):
    """A position of the log, or a recorded time with its offset."""

    name = "TIME|POSITION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | int:
        """Return the position, or the time."""
        if isinstance(value, int | datetime):
            return value
        try:
            if value.isdecimal():
                return int(value)
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a position nor a time such as 2026-10-01T00:00Z", param, ctx)
        if moment.tzinfo is None:
            in_utc = f"{moment.isoformat(timespec='minutes')}Z"
            self.fail(f"{value!r} does not say in which zone: write {in_utc} for UTC, or an offset", param, ctx)
        return moment


of_build = click.option(
    "--as-of",
    "build",
    metavar="BUILD",
    help="Figures of a kept build; see `dataflow builds`.  [default: the live ones]",
)
"""The option that names a kept build."""


def figures_of(container: Container, build: str | None) -> Analytics:
    """Return the figures of a kept build, the live ones where none is named; raises NoSuchBuildError."""
    if build is None:
        return container.analytics()
    return container.builds().open(build)[1]
