"""What a command that goes on tells: people on the terminal, machines by structured logs, and nothing between these."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

from entrypoints.cli.output import Report, console, errors, progress
from entrypoints.settings import Settings

log = logging.getLogger(__name__)


def reported(settings: Settings, what: str, unit: str) -> AbstractContextManager[Report]:
    """Show progress, but not between structured logs."""
    return nullcontext(_silent) if settings.log_format == "json" else progress(what, unit)


def summarise(settings: Settings, line: str) -> None:
    """Say what was done: to people on the terminal, else as a line of the log."""
    if settings.log_format == "json":
        log.info(line)
    else:
        console.print(line)


def note(settings: Settings, line: str) -> None:
    """Say how something is done: to people on standard error, else as a line of the log."""
    if settings.log_format == "json":
        log.info(line)
    else:
        errors.print(line, soft_wrap=True)


def warn(settings: Settings, line: str) -> None:
    """Say what goes wrong for now: to people on standard error, else as a warning of the log."""
    if settings.log_format == "json":
        log.warning(line)
    else:
        errors.print(f"dataflow: {line}", soft_wrap=True)


def _silent(done: int, total: int | None = None, what: str | None = None) -> None:
    """Report nothing."""
