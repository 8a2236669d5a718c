"""Make the report of a day from a star that stands at the day's position."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from application.codec import decode_with_metadata
from application.daily import figures
from application.daily.document import DailyReport, Section, figure, plain, table, text
from application.daily.restated import restated
from application.daily.stock_list import reorder_list
from application.ports.analytics import Analytics
from application.ports.event_store import EventStore
from application.ports.inbox import Balance
from application.ports.runs import BusinessDay
from application.queries.policies import Policy


def make_report(
    analytics: Analytics, events: EventStore, run: BusinessDay, earlier: Mapping[date, DailyReport], policy: Policy
) -> DailyReport:
    """Measure everything; `analytics` must stand at the run's position, `earlier` are reports of days before.

    Raises:
        AnalyticsUnavailableError, StoreUnavailableError: there is nothing to read from.
    """
    day = run.day
    return DailyReport(
        day,
        run.position,
        run.fixed_at,
        policy.label,
        (
            figures.the_day(analytics, day, policy),
            figures.service(analytics, day, policy),
            figures.late_carriers(analytics, day),
            figures.late_suppliers(analytics, day),
            figures.stock(analytics, day),
            reorder_list(analytics, events, day, run.position),
            _messages(run),
            _checks(run),
            _freshness(run, events),
            restated(analytics, events, earlier, run.position, policy),
        ),
        figures.charts(analytics, day, policy),
        {name: plain(value) for name, value in figures.day_figures(analytics, day, policy).items()},
    )


def _messages(run: BusinessDay) -> Section:
    counted = [
        (text(outcome.capitalize()), figure(run.known.messages[outcome], "messages")) for outcome in Balance._fields
    ]
    waiting = sorted(run.known.waiting.items(), key=lambda reason: (-reason[1], reason[0]))
    open_ = [(text(f"In quarantine: {code}"), figure(number, "messages")) for code, number in waiting]
    note = "Received = applied + duplicate + quarantined, since the beginning; then what waits in quarantine, and why."
    return table("messages", "Messages and quarantine", note, ("", "messages"), [*counted, *open_])


def _checks(run: BusinessDay) -> Section:
    if run.checked is None:
        return table("quality", "Quality", "", ("",), [(text("The data was not checked for this report."),)])
    rows = [
        (text(each.severity), text(each.name), figure(each.offending, "rows"))
        for each in sorted(run.checked.failed, key=lambda each: (each.severity, each.name))
    ]
    note = f"{run.checked.checks} checks of the data, {len(rows)} of which failed."
    return table("quality", "Quality", note, ("Severity", "Check", "Rows"), rows)


def _freshness(run: BusinessDay, events: EventStore) -> Section:
    rows = [(text("Position of the log"), text(f"{run.position:,}")), (text("Fixed at"), text(_minute(run.fixed_at)))]
    last = events.read(run.position - 1, 1) if run.position else []
    if last:
        event, metadata = decode_with_metadata(*last[0])
        rows.append((text("Last event recorded at"), text(_minute(metadata.recorded_at))))
        rows.append((text("It happened at"), text(_minute(event.occurred_at))))
    return table("freshness", "Freshness", "How new the figures are; times are UTC.", ("", ""), rows)


def _minute(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
