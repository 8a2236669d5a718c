"""Rebuild the read models and prove them: `rebuild`, `verify`."""

from __future__ import annotations

import os
import secrets
from dataclasses import asdict
from datetime import datetime

import click

from application.quality.check import Severity
from application.quality.definitions import CHECKS
from application.replay.certificate import Rebuilt
from entrypoints import onward
from entrypoints.cli import quality
from entrypoints.cli.as_of import Moment
from entrypoints.cli.builds import print_made
from entrypoints.cli.certificates import print_certificate
from entrypoints.cli.context import platform
from entrypoints.cli.output import console, errors, phases, print_json, progress
from entrypoints.container import Container

WORTH_PROCESSES = 50_000
"""Events from which on a rebuild is worth processes of its own, unless it is told how many."""


@click.command()
@click.option("--accept-changes", is_flag=True, help="Swap in tables that differ: a projection was changed.")
@click.option("--swap-back", is_flag=True, help="Put back what was live before the last rebuild, caught up.")
@click.option("--workers", type=click.IntRange(0), help="Processes that share the work.  [default: one a core]")
@click.option("--shards", type=click.IntRange(1), help="Parts that the log is cut into.  [default: by its size]")
@click.option("--as-of", type=Moment(), help="Build the star as it was known then, aside, and keep it.")
@click.option("--into", metavar="NAME", help="The name to keep it under; see `dataflow builds`.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rebuild(  # noqa: PLR0917
    accept_changes: bool,
    swap_back: bool,
    workers: int | None,
    shards: int | None,
    as_of: datetime | int | None,
    into: str | None,
    as_json: bool,
) -> None:
    """Build silver and gold anew from the log, aside; swap them in where they equal the live ones.

    Ingest, followers and readers go on meanwhile. A rebuild that was interrupted is gone on with. The tables that
    were live are kept until the next rebuild. Live tables that are far behind the log, and that nobody follows, are
    compared where they stand; what is swapped in goes on to its end.

    With --as-of and --into, the star is built from the events up to a position, or recorded up to a time, into
    schemas of its own, and the live tables are not touched.
    """
    if (as_of is None) != (into is None) or (as_of is not None and (accept_changes or swap_back or shards)):
        raise click.UsageError("--as-of and --into go together, with --workers and --json alone")
    if swap_back and (workers is not None or shards is not None):
        raise click.UsageError("--swap-back goes with --accept-changes and --json alone: nothing is built")
    if as_of is not None and into is not None:
        _keep(as_of, into, workers, as_json)
        return
    with platform() as container:
        with progress("rebuilding", "events") as report:
            if swap_back:
                built = container.read_model().swap_back(phases(report), accept_changes=accept_changes)
            else:
                built = onward.rebuild(
                    container,
                    phases(report),
                    errors.print,
                    accept_changes=accept_changes,
                    workers=_workers(container, workers),
                    shards=shards,
                )
        if not as_json:
            _print(built)
        checked = container.quality().run(CHECKS) if built.swapped else None
    if as_json:
        certificate = built.certificate.report() if built.certificate else None
        checks = quality.report(checked) if checked else None
        print_json({**asdict(built), "certificate": certificate, "quality": checks})
    elif checked:
        quality.show(checked)
    if checked is None or checked.failures(Severity.ERROR):
        raise SystemExit(1)


def _keep(as_of: datetime | int, name: str, workers: int | None, as_json: bool) -> None:
    with platform() as container, progress("building", "events") as report:
        made = container.builds().make(name, as_of, phases(report), workers=_workers(container, workers))
    if as_json:
        print_json(made)
    else:
        print_made(made)


def _print(built: Rebuilt) -> None:
    if built.certificate is not None:
        print_certificate(built.certificate)
    console.print(f"{built.events:,} events, up to position {built.position:,}")
    if built.locked_seconds is None:
        console.print("not swapped: the live tables stay as they were")
        console.print("where a definition was changed on purpose, `dataflow rebuild --accept-changes` swaps them in")
    else:
        console.print(f"swapped in; readers were kept waiting for {built.locked_seconds * 1000:,.0f} ms")


def _workers(container: Container, asked: int | None) -> int:
    if asked is not None:
        return asked
    return (os.cpu_count() or 1) if container.event_store().head() >= WORTH_PROCESSES else 0


@click.command()
@click.option("--sample", type=click.IntRange(1), metavar="K", help="Only fold K random streams again.")
@click.option("--seed", type=click.IntRange(0), help="Choose the sample by this number.  [default: a new one]")
@click.option("--json", "as_json", is_flag=True, help="Print the certificate as JSON.")
def verify(sample: int | None, seed: int | None, as_json: bool) -> None:
    """Build everything anew aside, compare it with the live tables, table by table, and drop it.

    With --sample, only some streams are folded again, and compared with the live tables: quick enough for every
    night, and nothing waits for it.
    """
    if seed is not None and sample is None:
        raise click.UsageError("--seed chooses a sample; give --sample too")
    with platform() as container, progress("verifying", "events") as report:
        if sample is None:
            count = _workers(container, None)
            certificate = container.read_model().verify(phases(report), workers=count)
        else:
            certificate = container.read_model().verify_sample(sample, secrets.randbits(32) if seed is None else seed)
    if as_json:
        print_json(certificate.report())
    else:
        print_certificate(certificate)
    if not certificate.equal:
        raise SystemExit(1)
