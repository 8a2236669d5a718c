"""`python -m deploy.services up|down|status|env [--only kafka,redis]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from deploy.services import commands, registry
from deploy.services.catalogue import SERVERS, VARIABLES


def _names(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in SERVERS]:
        raise click.BadParameter(f"no server is named {unknown[0]!r}; there are {', '.join(SERVERS)}")
    return names


_only: Callable[[Any], Any] = click.option(
    "--only", "names", default=",".join(SERVERS), show_default=True, callback=_names, help="Which servers."
)


@click.group()
def main() -> None:
    """Real servers for the tests, on free ports of the loopback."""


@main.command()
@_only
@click.option("--docker/--native", default=None, help="How; by default with Docker where an engine answers.")
def up(names: tuple[str, ...], docker: bool | None) -> None:
    """Start what doesn't run yet; return when it answers."""
    sys.exit(_say(commands.up(names, docker)))


@main.command()
@_only
@click.option("--data", is_flag=True, help="Delete the data, too.")
def down(names: tuple[str, ...], data: bool) -> None:
    """Stop what runs."""
    sys.exit(_say(commands.down(names, data)))


@main.command()
@_only
def status(names: tuple[str, ...]) -> None:
    """Show a line a server; exit with 1 if one that was started doesn't answer."""
    known = registry.read()
    lost = False
    click.echo(f"{'server':10} {'state':12} {'pid':>8}  address")
    for name in names:
        running = known.get(name)
        if running is None:
            click.echo(f"{name:10} stopped")
            continue
        good = commands.answers(running)
        lost = lost or not good
        click.echo(f"{name:10} {'answers' if good else 'no answer':12} {running.pid or 'docker':>8}  {running.url}")
    sys.exit(lost)


@main.command()
@_only
def env(names: tuple[str, ...]) -> None:
    """Print the addresses as lines for a shell to evaluate."""
    for name, running in registry.read().items():
        if name in names:
            click.echo(f"export {VARIABLES[name]}='{running.url}'")


def _say(outcomes: Iterable[tuple[str, str, bool]]) -> int:
    failed = False
    for name, text, good in outcomes:
        click.echo(f"{name:10} {text}", err=not good)
        failed = failed or not good
    return int(failed)


if __name__ == "__main__":
    main(prog_name="python -m deploy.services")
