"""The filters that all pages share; they are kept in the address, so that a view can be sent to somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from application.ingest.limits import EARLIEST_DAY, LATEST_DAY
from application.ports.analytics import Member, Period
from application.ports.builds import KeptBuild
from application.queries.dimensions import DIMENSIONS
from application.queries.policies import DEFAULT
from application.queries.views.choice import FILTERS, SPANS, Choice
from dashboard.session import settings
from entrypoints.viewing import Frame

LIVE = "Live"
OWN_DAYS = "Own days"
ALL_DAYS = next(name for name, span in SPANS.items() if span.days is None)
_USUAL = "Last 30 days"
_TITLES = {"country": "Country", "category": "Category"}


def sidebar(frame: Frame) -> None:
    """Draw the filters, the moment that is looked at, and the pause."""
    with st.sidebar:
        st.selectbox("Period", [*SPANS, OWN_DAYS], list(SPANS).index(_USUAL), key="period", bind="query-params")
        if st.session_state.get("period") == OWN_DAYS:
            # What is not said here is ten years from today.
            first, last = EARLIEST_DAY, LATEST_DAY - timedelta(days=1)
            st.date_input("From and to", [], first, last, key="days", bind="query-params", format="YYYY-MM-DD")
        for name in FILTERS:
            labels = _labels(frame.options.get(name, []))
            st.multiselect(
                _TITLES.get(name, DIMENSIONS[name].title),
                list(labels),
                format_func=partial(_labelled, labels),
                key=name,
                bind="query-params",
                placeholder="All",
            )
        st.selectbox("As of", [LIVE, *(build.name for build in frame.builds)], key="as_of", bind="query-params")
        st.toggle(
            "Refresh by itself",
            True,
            key="refreshing",
            persist_state="session",
            help=f"Every {settings().refresh_seconds} s; filters, scroll and selection stay.",
        )


def _labels(members: Sequence[Member]) -> dict[str, str]:
    """Return a label for each member's key; the address has labels, so that no two are alike."""
    times = Counter(member.label for member in members)
    return {
        str(member.key): f"{member.label} ({member.key})"
        if times[member.label] > 1
        else member.label or str(member.key)
        for member in members
    }


def _labelled(labels: Mapping[str, str], key: str) -> str:
    return labels.get(key, key)


def build() -> str | None:
    """Return the name of the kept build that is looked at; None: live."""
    chosen = st.session_state.get("as_of", LIVE)
    return None if chosen == LIVE else str(chosen)


def kept(frame: Frame) -> KeptBuild | None:
    """Return the kept build that is looked at."""
    return next((each for each in frame.builds if each.name == build()), None)


def refresh_every() -> int | None:
    """Return the seconds between refreshes; None where it pauses, or nothing can change."""
    return settings().refresh_seconds if st.session_state.get("refreshing", True) and build() is None else None


def choice(frame: Frame) -> Choice:
    """Return what was chosen; days end with today, or with the day that the kept build knows."""
    known = kept(frame)
    now = (known and known.recorded_until) or datetime.now(UTC)
    members = {name: tuple(st.session_state.get(name) or ()) for name in FILTERS}
    period = _period(now)
    return Choice(now, period, {name: keys for name, keys in members.items() if keys}, frame.policy or DEFAULT)


def _period(now: datetime) -> Period | None:
    chosen = st.session_state.get("period", _USUAL)
    if chosen != OWN_DAYS:
        return SPANS[chosen].period(now.date())
    days = st.session_state.get("days") or ()
    return Period(*days) if len(days) == 2 else SPANS[_USUAL].period(now.date())
