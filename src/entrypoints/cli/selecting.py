"""What the commands that answer have in common: filters, periods and policies, as options and as their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import click

from application.ports.analytics import Analytics, Period
from application.queries.currencies import Currencies, mixtures
from application.queries.definitions import Kpi
from application.queries.figures import find_dimension
from application.queries.policies import DEFAULT, Policy, find_policy
from entrypoints.cli.output import errors
from entrypoints.container import Container

Day = click.DateTime(["%Y-%m-%d"])
Command = Callable[..., Any]
NAMED = 10
"""Members that an error names."""


def filters(command: Command) -> Command:
    """Add the options that choose what counts: members of dimensions, first and last day."""
    for option in (
        click.option("--to", "last", type=Day, help="Last day."),
        click.option("--from", "first", type=Day, help="First day."),
        click.option("--where", "conditions", multiple=True, metavar="DIMENSION=MEMBER", help="Only these members."),
    ):
        command = option(command)
    return command


def members_of(conditions: tuple[str, ...], analytics: Analytics) -> dict[str, list[str | None]]:
    """Read DIMENSION=MEMBER; a member is given by key or by name, the unknown one by nothing."""
    members: dict[str, list[str | None]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise click.BadParameter(f"{condition!r} is not DIMENSION=MEMBER", param_hint="--where")
        members.setdefault(name, []).append(_member(analytics, name, value) if value else None)
    return members


def _member(analytics: Analytics, dimension: str, value: str) -> str:
    known = [member for member in analytics.members(find_dimension(dimension)) if member.key]
    matching = [str(key) for key, _ in known if key == value] or [str(key) for key, label in known if label == value]
    if len(matching) == 1:
        return matching[0]
    if matching:
        which = ", ".join(matching[:NAMED]) + (", ..." if len(matching) > NAMED else "")
        reason = f"{len(matching):,} of {dimension} have the name {value!r}; choose by key: {which}"
        raise click.BadParameter(reason, param_hint="--where")
    named = ", ".join(f"{key} ({label})" if label != key else str(key) for key, label in known[:NAMED])
    more = f" and {len(known) - NAMED:,} more" if len(known) > NAMED else ""
    raise click.BadParameter(f"no {dimension} {value!r}; there are {named or 'none'}{more}", param_hint="--where")


def period_of(first: datetime | None, last: datetime | None) -> Period | None:
    """Return the period from the first to the last day, each perhaps open; None for all time."""
    if first is None and last is None:
        return None
    if first and last and first > last:
        raise click.BadParameter(f"{first:%Y-%m-%d} is after --to {last:%Y-%m-%d}", param_hint="--from")
    return Period(first.date() if first else date.min, last.date() if last else date.max)


def policies_of(container: Container, names: tuple[str, ...] = ()) -> list[Policy]:
    """Return the policies of these names, the default one where none is given.

    Raises:
        UnknownPolicyError: there is no such policy, or version.
    """
    history = container.policies().history()
    return [find_policy(history, name) for name in dict.fromkeys(names or (DEFAULT.name,))]


def warn_if_behind(container: Container) -> None:
    """Say on standard error that the read models are behind the log, where they are."""
    behind = container.event_store().head() - container.read_model().position()
    if behind > 0:
        note = f"note: the figures are {behind:,} positions behind the log; `dataflow project` catches up"
        errors.print(note, soft_wrap=True)


def units_of(kpis: Iterable[Kpi], found: Mapping[str, Currencies]) -> dict[str, str]:
    """Return the currency of each sum of money by its KPI, where all of it is of one."""
    of_money = ((kpi.name, found[kpi.name].all) for kpi in kpis if kpi.unit == "money" and kpi.name in found)
    return {name: of_kpi[0] for name, of_kpi in of_money if len(of_kpi) == 1}


def note_mixtures(tables: Iterable[tuple[Iterable[Kpi], Mapping[str, Currencies]]]) -> None:
    """Say on standard error which money of the KPIs of tables is of several currencies."""
    notes = (note for kpis, found in tables for note in mixtures(kpis, found))
    for note in dict.fromkeys(notes):
        errors.print(f"note: {note}", soft_wrap=True)
