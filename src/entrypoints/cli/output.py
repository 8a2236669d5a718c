"""What a command prints: tables for people, JSON for scripts, progress for the patient."""

from __future__ import annotations

import errno
import os
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from application.ports.read_model import PhaseProgress

WIDTH = 120
"""Columns where the output is not a terminal."""
LINE_EVERY = 5.0
"""Seconds between progress lines where there is no terminal."""

_JSON = msgspec.json.Encoder(decimal_format="number")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to whoever runs the command to say how it ends, as with what is not printed by rich."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


console = _Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output; decimals exactly, times in ISO 8601."""
    sys.stdout.write(as_json_text(value) + "\n")


def print_json_list(values: Iterable[Any]) -> None:
    """Print values as a list in JSON, each as it comes; see `print_json`."""
    between = "[\n"
    for value in values:
        sys.stdout.write(between + textwrap.indent(as_json_text(value), "  "))
        between = ",\n"
    sys.stdout.write("[]\n" if between == "[\n" else "\n]\n")


def as_json_text(value: Any, indent: int = 2) -> str:
    """Return a value as JSON, decimals exactly, times in ISO 8601; on one line with an indent of -1."""
    return msgspec.json.format(_JSON.encode(value), indent=indent).decode()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headings; numbers to the right."""
    table = Table(title=title, title_justify="left", header_style="bold", title_style="bold")
    kept = [[cell(value) for value in row] for row in rows]
    numeric = [all(_is_number(row[n]) for row in kept) and bool(kept) for n in range(len(columns))]
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in kept:
        table.add_row(*row)
    console.print(table)


def cell(value: Any) -> str:
    """Return a value as a table shows it: thousands set apart, times to the second, a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal | float):
        return f"{value:,}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _is_number(text: str) -> bool:
    return text == "–" or text.replace(",", "").replace(".", "").replace("-", "").replace("%", "").isdigit()


class Report(Protocol):
    """Called as work goes on: what is done of how much, None where that is not known."""

    def __call__(self, done: int, total: int | None = None, what: str | None = None) -> None:
        """Show that `done` of `total` is done, of a step named `what`."""


@contextmanager
def progress(what: str, unit: str) -> Iterator[Report]:
    """Show progress: a bar with rate and ETA on a terminal, elsewhere one line every few seconds."""
    if errors.is_terminal:
        with _bar(unit) as bar:
            task = bar.add_task(what, total=None, rate="")
            started = time.monotonic()

            def show(done: int, total: int | None = None, what: str | None = None) -> None:
                rate = done / max(time.monotonic() - started, 0.001)
                bar.update(task, completed=done, total=total, rate=f"{rate:,.0f} {unit}/s")
                if what is not None:
                    bar.update(task, description=what)

            yield show
        return
    yield _Lines(what, unit)


def phases(report: Report) -> PhaseProgress:
    """Show work in phases as progress, each by its name."""
    return lambda phase, done, total: report(done, total, phase)


def _bar(unit: str) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
    )


class _Lines:
    """One line every few seconds."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._started = self._last = time.monotonic()

    def __call__(self, done: int, total: int | None = None, what: str | None = None) -> None:
        self._what = what or self._what
        now = time.monotonic()
        if now - self._last < LINE_EVERY:
            return
        self._last = now
        rate = done / (now - self._started)
        of = f" of {total:,}" if total is not None else ""
        left = f", {max(total - done, 0) / rate:,.0f} s left" if total is not None and rate > 0 else ""
        errors.print(f"{self._what}: {done:,}{of} {self._unit}, {rate:,.0f}/s{left}")
