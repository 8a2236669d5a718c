"""Rebuild the read models and prove them: `rebuild`, `verify`."""

from __future__ import annotations

import secrets

import click

from application.ports.read_model import PhaseProgress
from entrypoints.cli.certificates import print_certificate
from entrypoints.cli.context import platform
from entrypoints.cli.output import Report, console, print_json, progress


@click.command()
@click.option("--accept-changes", is_flag=True, help="Swap in tables that differ: a projection was changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rebuild(accept_changes: bool, as_json: bool) -> None:
    """Build silver and gold anew from the log, aside; swap them in where they equal the live ones."""
    with platform() as container, progress("rebuilding", "events") as report:
        built = container.read_model().rebuild(_phases(report), accept_changes=accept_changes)
    certificate = built.certificate
    if as_json:
        print_json(
            {
                "position": built.position,
                "events": built.events,
                "swapped": built.swapped,
                "certificate": certificate.report() if certificate else None,
            }
        )
    else:
        if certificate is not None:
            print_certificate(certificate)
        console.print(f"{built.events:,} events, up to position {built.position:,}")
        console.print("swapped in" if built.swapped else "not swapped: the live tables stay as they were")
    if not built.swapped:
        raise SystemExit(1)


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
            certificate = container.read_model().verify(_phases(report))
        else:
            certificate = container.read_model().verify_sample(sample, secrets.randbits(32) if seed is None else seed)
    if as_json:
        print_json(certificate.report())
    else:
        print_certificate(certificate)
    if not certificate.equal:
        raise SystemExit(1)


def _phases(report: Report) -> PhaseProgress:
    return lambda phase, done, total: report(done, total, phase)
