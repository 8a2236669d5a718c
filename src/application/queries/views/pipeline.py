"""The pipeline: what came in, what became of it, how far the figures are, and what was proved about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from application.ports.builds import KeptBuild
from application.ports.inbox import Balance, Inbox, Quarantined, QuarantineStatus
from application.ports.quality import QualityRun
from application.queries.views.shapes import Column, Table
from application.replay.certificate import CertificateEntry

SHOWN = 100
_OVER = timedelta(minutes=5)


class Sample(NamedTuple):
    """What was received, and how far log and read models were, at a time."""

    at: datetime
    received: int
    head: int
    position: int


class Flow(NamedTuple):
    """How fast messages come in and events are projected, a second, since `since`; None before a second sample."""

    lag: int
    messages: float | None
    events: float | None
    since: datetime | None


class Pipeline(NamedTuple):
    """What the page shows; `reasons` are those of the messages open in quarantine, the most frequent first."""

    balance: Balance
    flow: Flow
    reasons: Table
    quarantine: Table
    messages: tuple[Quarantined, ...]
    checks: Table
    certificates: Table
    builds: Table


def flow(samples: Sequence[Sample]) -> Flow:
    """Return the lag of the last sample, and the rates over the samples of five minutes before it, oldest first."""
    last = samples[-1]
    first = next(each for each in samples if last.at - each.at <= _OVER)
    lag, seconds = max(0, last.head - last.position), (last.at - first.at).total_seconds()
    if not seconds:
        return Flow(lag, None, None, None)
    return Flow(lag, (last.received - first.received) / seconds, (last.position - first.position) / seconds, first.at)


def pipeline(
    inbox: Inbox,
    balance: Balance,
    samples: Sequence[Sample],
    *,
    run: QualityRun | None,
    certificates: Sequence[CertificateEntry],
    builds: Sequence[KeptBuild],
) -> Pipeline:
    """Put together what the page shows; raises StoreUnavailableError."""
    messages = tuple(inbox.quarantine(status=QuarantineStatus.OPEN, limit=SHOWN))
    reasons = sorted(inbox.waiting().items(), key=lambda reason: (-reason[1], reason[0]))
    return Pipeline(
        balance,
        flow(samples),
        Table("Why", (Column("Reason"), Column("Messages", "count")), tuple(reasons)),
        _quarantine(messages),
        messages,
        _checks(run),
        _certificates(certificates),
        _builds(builds),
    )


def _quarantine(messages: Sequence[Quarantined]) -> Table:
    columns = (
        Column("Number", "count"),
        Column("Reason"),
        Column("Detail"),
        Column("Source"),
        Column("Stream"),
        Column("Received (UTC)", "time"),
    )
    rows = tuple((m.quarantine_id, m.code, m.detail, m.source, m.stream_id, m.received_at) for m in messages)
    return Table("Open in quarantine", columns, rows, tuple(str(m.quarantine_id) for m in messages))


def _checks(run: QualityRun | None) -> Table:
    columns = (Column("Check"), Column("Result"), Column("Offending", "count"), Column("What it says"))
    results = sorted(run.results, key=lambda result: (result.passed, result.name)) if run else ()
    rows = tuple((r.name, "Passed" if r.passed else r.severity.value, r.offending, r.description) for r in results)
    when = f", {run.checked_at:%Y-%m-%d %H:%M} UTC" if run else ""
    return Table(f"Quality checks{when}", columns, rows)


def _certificates(entries: Sequence[CertificateEntry]) -> Table:
    columns = (
        Column("Number", "count"),
        Column("Of"),
        Column("Position", "count"),
        Column("Result"),
        Column("Swapped in", "flag"),
        Column("Ended (UTC)", "time"),
        Column("Code"),
    )
    rows = tuple(
        (e.number, e.purpose, e.position, "Equal" if e.equal else "Different", e.swapped, e.ended_at, e.code_version)
        for e in entries
    )
    return Table("Rebuilds and verifications, with their certificates", columns, rows)


def _builds(builds: Sequence[KeptBuild]) -> Table:
    columns = (Column("Name"), Column("Position", "count"), Column("As of (UTC)", "time"), Column("Ready", "flag"))
    rows = tuple((build.name, build.position, build.recorded_until, build.ready) for build in builds)
    return Table("Kept builds", columns, rows)
