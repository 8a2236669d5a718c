"""Run the benchmarks: `python -m benchmarks [--only NAME]`; a table, and build/bench.json."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import dashboard, freshness, ingest, kpi, processes, rebuild
from benchmarks.measure import Result, machine

BENCHMARKS = {
    **dashboard.BENCHMARKS,
    **ingest.BENCHMARKS,
    **freshness.BENCHMARKS,
    **kpi.BENCHMARKS,
    **processes.BENCHMARKS,
    **rebuild.BENCHMARKS,
}
OUT = Path("build/bench.json")


@click.command()
@click.option("--only", type=click.Choice(list(BENCHMARKS)), help="Just this one.")
def main(only: str | None) -> None:
    """Run all benchmarks, or one."""
    results: list[Result] = []
    for name, run in BENCHMARKS.items():
        if only in (None, name):
            print(f"{name} ...", file=sys.stderr)
            results += run()
    _show(results)
    OUT.parent.mkdir(exist_ok=True)
    plain = [asdict(result) | {"machine": machine()} for result in results]
    OUT.write_bytes(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")
    print(f"written to {OUT}", file=sys.stderr)


def _show(results: list[Result]) -> None:
    table = Table(title="Benchmarks", title_justify="left")
    for heading in ("name", "value", "unit", "baseline", "ratio"):
        table.add_column(heading, overflow="fold")
    for r in results:
        ratio = "" if r.ratio is None else f"{r.ratio:.2f}"
        table.add_row(r.name, f"{r.value:,.0f}", r.unit, r.baseline, ratio)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
