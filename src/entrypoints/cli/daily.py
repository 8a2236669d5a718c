"""The report of a business day: `dataflow report --date D`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from application.errors import PlatformError
from entrypoints import daily
from entrypoints.cli.context import platform
from entrypoints.cli.output import console
from entrypoints.report import FORMATS, write_all


def print_daily(day: date, renew: bool, format_: str, out: Path | None) -> None:
    """Print the report kept of a day, or write it as files; with `renew`, run the day first."""
    with platform() as container:
        if renew:
            daily.fix(container, day)
            daily.catch_up(container, day)
            report = daily.make(container, day)
        else:
            report = daily.report(container, day)
    if out is None:
        click.echo(FORMATS[format_](report), nl=False)
        return
    try:
        files = write_all(report, out)
    except OSError as error:
        raise PlatformError(f"{out} can't be written: {error.strerror}") from error
    console.print(f"the report of {day} is in {', '.join(map(str, files))}", soft_wrap=True)
