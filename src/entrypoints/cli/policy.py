"""What counts as late and as in full: `dataflow policy list|show|set`."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from application.queries.policies import Policy, Rule, find_policy
from entrypoints.cli.context import current_user, platform
from entrypoints.cli.output import console, print_json, print_table

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def share(value: str) -> Decimal:
    """Read a share above 0 and up to 1, exactly."""
    try:
        read = Decimal(value)
    except InvalidOperation:
        read = Decimal(0)
    if not 0 < read <= 1:
        raise click.BadParameter(f"{value!r} is not a share above 0 and up to 1, as in 0.95")
    return read


@click.group()
def policy() -> None:
    """Policies: versioned rules by which KPIs count orders as late and as in full."""


@policy.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List every version of every policy; those without an end are in force."""
    with platform() as container:
        history = container.policies().history()
    if as_json:
        print_json([_plain(each) for each in history])
        return
    rules = [(each.label, *asdict(each.rule).values(), each.valid_from, each.valid_to) for each in history]
    head = ("policy", "due", "basis", "unit", "tolerance", "grain", "in full", "cancelled", "from", "until")
    print_table("Policies", head, rules)


@policy.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(name: str, as_json: bool) -> None:
    """Show a policy as it is in force, or a version of it, e.g. default@1."""
    with platform() as container:
        found = find_policy(container.policies().history(), name)
    if as_json:
        print_json(_plain(found))
    else:
        print_table(found.label, ("", "value"), _plain(found).items())


@policy.command("set")
@click.argument("name")
@click.option("--due", type=click.Choice(["requested", "promised", "original"]), help="The date that is to be kept.")
@click.option("--basis", type=click.Choice(["shipped", "delivered"]), help="What has to happen by then.")
@click.option("--unit", type=click.Choice(["day", "hour"]), help="Calendar days, or hours since the order.")
@click.option("--tolerance", type=click.IntRange(0, 100_000), help="Units of time that it may be late.")
@click.option("--grain", type=click.Choice(["order", "line"]), help="What is counted.")
@click.option("--in-full", type=share, help="Share of the units that counts as in full.")
@click.option("--cancelled", type=click.Choice(["missing", "excused"]), help="What cancelled units are.")
@click.option("--note", default="", help="Why; kept with the version.")
@click.option("--actor", default=current_user, help="Who does it.  [default: the user]")
def set_(name: str, note: str, actor: str, **rule: Any) -> None:
    """Set a policy: a new version, in which what is not given stays as it was; earlier versions stay."""
    if not _NAME.fullmatch(name):
        raise click.BadParameter("a name has small letters, digits, - and _", param_hint="NAME")
    given = {part: value for part, value in rule.items() if value is not None}
    with platform() as container:
        policies = container.policies()
        earlier = [each for each in policies.history() if each.name == name]
        changed = replace(earlier[-1].rule if earlier else Rule(), **given)
        if earlier and changed == earlier[-1].rule:
            console.print(f"{earlier[-1].label} says that already")
            return
        recorded = policies.record(name, changed, note, actor, container.now()())
    console.print(f"{recorded.label} is in force")


def _plain(found: Policy) -> dict[str, object]:
    return {
        "name": found.name,
        "version": found.version,
        **asdict(found.rule),
        "note": found.note,
        "valid_from": found.valid_from,
        "valid_to": found.valid_to,
    }
