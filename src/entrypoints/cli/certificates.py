"""Look at what was proved about the read models: `dataflow certificates list|show`."""

from __future__ import annotations

from pathlib import Path

import click

from application.errors import PlatformError
from application.queries.explain import key_name
from application.replay.certificate import Certificate, Difference
from entrypoints.cli.context import platform
from entrypoints.cli.counts import COUNT
from entrypoints.cli.output import as_json_text, console, print_json, print_table


@click.group()
def certificates() -> None:
    """Show the certificates of rebuilds and verifications: what was compared, when, by which code."""


@certificates.command("list")
@click.option("--limit", default=20, show_default=True, type=COUNT)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(limit: int, as_json: bool) -> None:
    """List the latest certificates, the newest first."""
    with platform() as container:
        found = container.certificates().latest(limit)
    if as_json:
        print_json([entry._asdict() for entry in found])
        return
    rows = [
        (e.number, e.purpose, e.position, "equal" if e.equal else "DIFFERENT", e.swapped, e.code_version, e.ended_at)
        for e in found
    ]
    print_table("Certificates", ("number", "of", "position", "result", "swapped in", "code", "ended at"), rows)


@certificates.command("show")
@click.argument("number", type=COUNT, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Write it as JSON into a file.")
def show(number: int | None, as_json: bool, to: Path | None) -> None:
    """Show one certificate whole, the newest where no number is given."""
    with platform() as container:
        certificate = container.certificates().load(number)
    if to is not None:
        _write(to, as_json_text(certificate.report()))
        console.print(f"certificate {certificate.number} is in {to}")
    elif as_json:
        print_json(certificate.report())
    else:
        print_certificate(certificate)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlatformError(f"{path} can't be written: {error.strerror}") from error


def print_certificate(certificate: Certificate) -> None:
    """Print a certificate: its tables, and of those that differ the rows that are named, with their events."""
    rows = [
        (t.table, t.rows_live, t.rows_rebuilt, "equal" if t.equal else "DIFFERENT", t.digest_live)
        for t in certificate.tables
    ]
    title = f"Certificate {certificate.number} ({certificate.purpose}) at position {certificate.position:,}"
    print_table(title, ("table", "rows live", "rows rebuilt", "", "digest live"), rows)
    for table in certificate.tables:
        if table.columns:
            console.print(f"{table.table}: columns {', '.join(table.columns)}")
        for difference in table.differences:
            print_rows(key_name(table.table, difference.key.values()), difference, ("live", "rebuilt"))
            print_events(difference)
        if table.differing > len(table.differences):
            console.print(f"{table.table}: {table.differing - len(table.differences):,} more rows differ")
    if certificate.streams is not None:
        console.print(f"{certificate.streams:,} streams folded again; --seed {certificate.seed} chooses the same ones")
    if certificate.built_on_to is not None:
        console.print(
            f"compared at position {certificate.position:,}, where the live tables stood; what was swapped in is built"
            f" by the same code of the same log, on to position {certificate.built_on_to:,}"
        )
    seconds = (certificate.ended_at - certificate.started_at).total_seconds()
    console.print(
        f"code {certificate.code_version}, {len(certificate.event_versions)} event versions, "
        f"{certificate.ended_at:%Y-%m-%d %H:%M:%S} UTC, {seconds:,.1f} s"
    )
    console.print(_result(certificate))


def _result(certificate: Certificate) -> str:
    if not certificate.tables:
        return "nothing was there to compare"
    if not certificate.equal:
        return "the tables differ"
    if certificate.streams is not None:
        return "every table is equal where these streams touch it; of the others it says nothing"
    return "every table is equal"


def print_rows(name: str, difference: Difference, sides: tuple[str, str]) -> None:
    """Print a row's name, the columns that differ, and both rows."""
    console.print(f"{name} {', '.join(difference.columns())}".rstrip())
    width = max(map(len, sides)) + 1
    for side, row in zip(sides, (difference.live, difference.rebuilt), strict=True):
        console.print(f"  {side + ':':{width}} {_row(row)}")


def print_events(difference: Difference) -> None:
    """Print the events behind a row, one a line."""
    for event in difference.events:
        console.print(
            f"  event {event.stream_id}:{event.version} at {event.position}, {event.occurred_at:%Y-%m-%d %H:%M:%S}: "
            f"{event.topic} {event.description}"
        )


def _row(row: object) -> str:
    return "no row" if row is None else as_json_text(row, indent=-1)
