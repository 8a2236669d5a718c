"""Check the data: `quality`, and the end of every load."""

from __future__ import annotations

import logging

import click

from application.ports.quality import QualityRun
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from entrypoints.cli.context import platform
from entrypoints.cli.output import console, errors, print_json, print_table
from entrypoints.container import Container

log = logging.getLogger(__name__)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
def quality(as_json: bool) -> None:
    """Check the data, keep what was found, and exit with 1 where a check that is marked as an error fails."""
    with platform() as container:
        container.read_model()
        run = container.quality().run(CHECKS)
    if as_json:
        print_json(report(run))
    else:
        show(run)
    if run.failures(Severity.ERROR):
        raise SystemExit(1)


def check_loaded(container: Container) -> None:
    """Check the data where the read models moved since they were checked; say what fails, in one line."""
    position, last = container.read_model().position(), container.quality().last()
    if position == (last.position if last else 0):
        return
    run = container.quality().run(CHECKS)
    failed = [*run.failures(Severity.ERROR), *run.failures(Severity.WARN)]
    if not failed:
        return
    line = f"{summary(run)}: {', '.join(each.name for each in failed)}; `dataflow quality` shows the rows"
    if container.settings().log_format == "json":
        log.warning(line)
    else:
        errors.print(f"note: {line}", soft_wrap=True)


def report(run: QualityRun) -> dict[str, object]:
    """Return the run as a script reads it."""
    return {
        "checked_at": run.checked_at,
        "position": run.position,
        "checks": len(run.results),
        "errors": len(run.failures(Severity.ERROR)),
        "warnings": len(run.failures(Severity.WARN)),
        "results": run.results,
    }


def show(run: QualityRun) -> None:
    """Print what failed, and how many checks there were."""
    failed = [*run.failures(Severity.ERROR), *run.failures(Severity.WARN)]
    if failed:
        rows = [(r.severity.value, r.name, r.offending, "; ".join(r.keys[:3])) for r in failed]
        print_table("Checks that failed", ("severity", "check", "rows", "for example"), rows)
    console.print(summary(run))


def summary(run: QualityRun) -> str:
    """Return the run in one line."""
    errors, warnings = (len(run.failures(severity)) for severity in (Severity.ERROR, Severity.WARN))
    return f"{len(run.results)} checks: {errors} errors, {warnings} warnings"
