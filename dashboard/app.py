"""The page that `dataflow dashboard` serves: layout only, its figures come from `application.queries.overview`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import altair as alt
import streamlit as st

from application.errors import PlatformError
from application.ports.analytics import Analytics, AnalyticsUnavailableError
from application.ports.event_store import EventStore
from application.ports.inbox import Inbox
from application.ports.policies import Policies
from application.queries.overview import (
    SPANS,
    Bars,
    Freshness,
    Messages,
    NothingYet,
    Overview,
    Series,
    Table,
    Tile,
    overview,
)
from application.queries.policies import DEFAULT, find_policy
from entrypoints.cli.context import platform
from entrypoints.settings import SettingsError

REFRESH = "10s"
TIME_CHART_HEIGHT = 220
BAR_HEIGHT = 30
Colour = Literal["normal", "inverse", "off"]


class Wired(NamedTuple):
    """What the page reads from, and what closes it."""

    analytics: Analytics
    inbox: Inbox
    events: EventStore
    policies: Policies
    opened: ExitStack


@st.cache_resource(show_spinner=False, on_release=lambda wired: wired.opened.close())
def _wired() -> Wired:
    """Wire the platform once a process; ports are built here, under the cache's lock."""
    with ExitStack() as opened:
        container = opened.enter_context(platform())
        return Wired(
            container.analytics(),
            container.inbox(),
            container.event_store(),
            container.policies(),
            opened.pop_all(),
        )


@st.fragment(run_every=REFRESH)
def _page() -> None:
    head, choice = st.columns([3, 1], vertical_alignment="bottom")
    head.title("Supply chain", anchor=False)
    with choice:
        span = st.segmented_control("Period", list(SPANS), default="All", required=True, label_visibility="collapsed")
    with _said_in_a_line():
        wired = _wired()
        policy = find_policy(wired.policies.history(), DEFAULT.name)
        shown = overview(wired.analytics, wired.inbox, wired.events, SPANS[span], datetime.now(UTC), policy=policy)
        if isinstance(shown, NothingYet):
            _nothing_yet(shown)
        else:
            _overview(shown)


@contextmanager
def _said_in_a_line() -> Iterator[None]:
    """Say what went wrong, and wire anew at the next refresh."""
    try:
        yield
    except (PlatformError, AnalyticsUnavailableError, SettingsError) as error:
        _wired.clear()
        st.error(" ".join(str(error).split()))
        st.caption(f"Tried again every {REFRESH}.")


def _nothing_yet(nothing: NothingYet) -> None:
    st.info(nothing.reason)
    st.code("\n".join(nothing.commands), language=None)


def _overview(shown: Overview) -> None:
    _freshness(shown.freshness)
    _tiles(shown.flows)
    for column, series in zip(st.columns(len(shown.over_time), border=True), shown.over_time, strict=True):
        with column:
            _over_time(series)
    for column, bars in zip(st.columns(2, border=True), (shown.late, shown.sales), strict=True):
        with column:
            _bars(bars)
    st.subheader("Stock and open orders now", anchor=False)
    _tiles(shown.levels)
    _table(shown.stock)
    st.subheader("Messages", anchor=False)
    _messages(shown.messages)


def _freshness(freshness: Freshness) -> None:
    behind = f"{freshness.behind:,} positions behind the log" if freshness.behind else "at the end of the log"
    st.caption(f"Position {freshness.position:,}, {behind}. Read at {freshness.at:%Y-%m-%d %H:%M:%S} UTC.")


def _tiles(tiles: tuple[Tile, ...]) -> None:
    for column, tile in zip(st.columns(len(tiles)), tiles, strict=True):
        rises = tile.change is not None and tile.change.startswith("+")
        colour: Colour = "off" if tile.better is None else "normal" if tile.better == rises else "inverse"
        column.metric(tile.title, tile.text, tile.change, colour, help=tile.meaning, border=True)


def _over_time(series: Series) -> None:
    starts = [step.first for step in series.steps]
    ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True) for day in starts]
    steps = [step._asdict() | {"first": f"{step.first}", "end": f"{step.end}"} for step in series.steps]
    chart = (
        alt.Chart(alt.InlineData(values=steps), height=TIME_CHART_HEIGHT)
        .mark_bar(x2Offset=-1)
        .encode(
            alt.X("first:T", title=None, scale=alt.Scale(type="utc")).axis(values=ticks, format="%d %b", grid=False),
            alt.X2("end:T"),
            alt.Y("value:Q", title=None),
            y2=alt.datum(0),
            tooltip=[alt.Tooltip("first:N", title="From"), alt.Tooltip("text:N", title=series.title)],
        )
    )
    _titled_chart(series.title, chart, steps)


def _bars(chart: Bars) -> None:
    bars = [bar._asdict() for bar in chart.bars]
    base = alt.Chart(alt.InlineData(values=bars), height=BAR_HEIGHT * len(bars)).encode(
        alt.X("value:Q", axis=None), alt.Y("label:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False))
    )
    # The canvas inherits the page's text colour, light or dark.
    texts = base.mark_text(align="left", dx=6, color="currentColor").encode(text="text:N")
    _titled_chart(chart.title, base.mark_bar() + texts, bars)


def _titled_chart(title: str, chart: alt.Chart | alt.LayerChart, rows: list[dict[str, Any]]) -> None:
    st.markdown(f"**{title}**")
    if rows:
        st.altair_chart(chart, alt=title)
    else:
        st.caption("Nothing in this period.")


def _table(table: Table) -> None:
    rows = [dict(zip(table.head, row, strict=True)) for row in table.rows]
    figures = {name: st.column_config.Column(alignment="right") for name in table.head[1:]}
    st.dataframe(rows, hide_index=True, column_config=figures, alt=table.title)


def _messages(messages: Messages) -> None:
    balance = messages.balance
    sign = "=" if balance.holds else "≠"
    figures = (
        ("Received", balance.received),
        (f"{sign} Applied", balance.applied),
        ("+ Duplicate", balance.duplicate),
        ("+ Quarantined", balance.quarantined),
    )
    for column, (title, count) in zip(st.columns(4), figures, strict=True):
        column.metric(title, f"{count:,}", border=True)
    if messages.reasons:
        st.markdown("**Open in quarantine, by reason**")
        st.dataframe([{"Reason": code, "Messages": count} for code, count in messages.reasons], hide_index=True)
    else:
        st.caption("Nothing waits in quarantine.")


st.set_page_config(page_title="DataFlow", layout="wide")
_page()
