"""A business day: fix its position, bring the star there, check it, and make its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from application.daily.document import DailyReport, decode, encode
from application.daily.making import make_report
from application.errors import InvalidRequestError, PlatformError
from application.ports.analytics import Analytics
from application.ports.builds import LIVE
from application.ports.runs import BusinessDay, Checked, FailedCheck, Known
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from application.queries.policies import DEFAULT, find_policy
from entrypoints import pipeline
from entrypoints.container import Container

RUN_AT = time(2, tzinfo=UTC)
"""When a day is run, on the day after it."""
LOOK_BACK = timedelta(days=7)
"""How far back reports are compared with what their figures have become."""
Made = TypeVar("Made")


class DayNotOverError(InvalidRequestError):
    """A day can't be reported before it is over."""


class DayNotRunError(InvalidRequestError):
    """There is no report of a day that was never run."""


class QualityError(PlatformError):
    """Checks that are marked as errors failed."""


class StarChangedError(PlatformError):
    """The star at a day's position is not what it was when the day was run first."""


def fix(container: Container, day: date) -> BusinessDay:
    """Return a day as it was fixed, and fix it where it was not; raises DayNotOverError."""
    if day >= container.now()().date():
        raise DayNotOverError(f"{day} is not over yet (UTC); the last day that is ended before today")
    inbox = container.inbox()
    known = Known(inbox.balance()._asdict(), inbox.waiting())
    return container.runs().fix(day, known, datetime.combine(day + timedelta(days=2), RUN_AT))


def fixed(container: Container, day: date) -> BusinessDay:
    """Return a day that was fixed; raises DayNotRunError."""
    found = container.runs().find(day)
    if found is None:
        raise DayNotRunError(f"{day} was not run yet; `dataflow report --date {day} --renew` runs it")
    return found


def catch_up(container: Container, day: date) -> int:
    """Bring silver and gold to the day's position, or leave them where they are beyond it; return where they are."""
    run = fixed(container, day)
    pipeline.project(container, lambda *_: None, run.position)
    return container.read_model().position()


def digest(container: Container, day: date) -> BusinessDay:
    """Digest gold at the day's position, and keep it; a day that was run before must give the same.

    Raises:
        StarChangedError: it does not, although the same version of the code made it.
    """
    run = fixed(container, day)
    found = {"code": container.code_version()} | at_position(
        container, run.position, lambda _, build: _digests(container, build)
    )
    kept = run.digests
    if kept is not None and kept["code"] == found["code"] and kept != found:
        tables = ", ".join(sorted(name for name in {*kept, *found} if kept.get(name) != found.get(name)))
        raise StarChangedError(f"{day} at position {run.position:,} has other rows than before in {tables}")
    run = replace(run, digests=found)
    container.runs().note(run)
    return run


def check(container: Container, day: date) -> Checked:
    """Check the live data; raises QualityError, once what failed is kept."""
    run = fixed(container, day)
    if run.checked is not None and not _errors(run.checked) and container.read_model().position() > run.position:
        return run.checked
    results = container.quality().run(CHECKS).results
    failed = tuple(FailedCheck(each.name, each.severity.value, each.offending) for each in results if not each.passed)
    checked = Checked(len(results), failed)
    container.runs().note(replace(run, checked=checked))
    if errors := _errors(checked):
        raise QualityError(f"{len(errors)} checks failed: " + "; ".join(f"{e.name} ({e.offending:,})" for e in errors))
    return checked


def make(container: Container, day: date) -> DailyReport:
    """Make the report of a day that was fixed, and keep it."""
    run = fixed(container, day)
    kept = container.runs().reports(day - LOOK_BACK, day - timedelta(days=1))
    earlier = {each: decode(document) for each, document in kept.items()}
    policy = find_policy(container.policies().history(), DEFAULT.name)
    report = at_position(
        container,
        run.position,
        lambda analytics, _: (make_report(analytics, container.event_store(), run, earlier, policy), run.position),
    )
    container.runs().keep_report(day, encode(report))
    return report


def report(container: Container, day: date) -> DailyReport:
    """Return the report that was kept of a day; raises DayNotRunError."""
    kept = container.runs().reports(day, day)
    if not kept:
        raise DayNotRunError(f"there is no report of {day}; `dataflow report --date {day} --renew` makes it")
    return decode(kept[day])


def at_position(container: Container, position: int, measure: Callable[[Analytics, str], tuple[Made, int]]) -> Made:
    """Measure the star at a position: the live one where it stands there meanwhile, else one that is built aside.

    `measure` is given the figures and the name of the build, and returns what it found, and where.

    Raises:
        RebuildRunningError: a build aside is needed while another one is made; try again later.
    """
    read_model = container.read_model()
    if read_model.position() == position:
        made, at = measure(container.analytics(), LIVE)
        if at == position == read_model.position():
            return made
    name = f"at_{position}"
    builds = container.builds()
    if any(build.name == name for build in builds.all()):
        builds.drop(name)  # of a run that was killed, perhaps by other code
    builds.make(name, position, lambda *_: None)
    try:
        made, _ = measure(builds.open(name)[1], name)
    finally:
        builds.drop(name)
    return made


def _digests(container: Container, build: str) -> tuple[dict[str, str], int]:
    position, found = container.digests()(build)
    return found, position


def _errors(checked: Checked) -> list[FailedCheck]:
    return [each for each in checked.failed if each.severity == Severity.ERROR.value]
