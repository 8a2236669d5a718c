"""What pages are put together from: the frame of a page, tiles and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import streamlit as st

from application.errors import InvalidRequestError, PlatformError
from application.queries.definitions import Fact
from application.queries.views.choice import Choice
from application.queries.views.explaining import TITLES
from application.queries.views.seen import Seen
from application.queries.views.shapes import Column, Table, Tile
from application.queries.views.words import age, at, days_in_words
from dashboard import charts, filters
from dashboard.export import head, note, slug
from dashboard.session import viewing
from entrypoints.settings import SettingsError
from entrypoints.viewing import Freshness, NothingYetError

View = TypeVar("View")
Delta = Literal["normal", "inverse", "off"]
# Not in a folder called `pages`: those, Streamlit serves by themselves until the navigation was drawn once.
PAGES = {
    name: f"screens/{name}.py"
    for name in ("overview", "orders", "shipments", "inventory", "suppliers", "pipeline", "explain")
}
_ROWS, _ROW_HEIGHT = 12, 35
_LONG = timedelta(seconds=5)
"""Figures that are older than this, while newer ones are being read, are marked."""


def refreshing(title: str, draw: Callable[[], None]) -> None:
    """Draw a page that refreshes by itself: its title once, the rest again and again."""
    st.title(title, anchor=False)
    st.fragment(_drawn, run_every=filters.refresh_every())(title, draw)


def _drawn(title: str, draw: Callable[[], None]) -> None:
    # What comes and goes has a place of its own, so that nothing else is drawn anew under somebody's hand.
    place = st.container()
    with ExitStack() as stack:
        if f"seen {title}" not in st.session_state:
            with place:
                stack.enter_context(st.spinner("Reading the figures …"))
        try:
            draw()
        except NothingYetError as nothing:
            st.info(str(nothing), icon=":material/inbox:")
        except InvalidRequestError as wrong:
            # What the address names is not there: nothing is away, and no refresh will bring it.
            words = str(wrong)
            st.info(f"{words[:1].upper()}{words[1:]}", icon=":material/search_off:")
        except (PlatformError, SettingsError) as error:
            _away(error)
    st.session_state[f"seen {title}"] = True


def _away(error: Exception) -> None:
    st.error(" ".join(str(error).split()), icon=":material/cloud_off:")
    every = filters.refresh_every()
    note("Nothing is lost." + (f" Tried again every {every} s." if every else ""))


def current() -> tuple[Choice, str | None]:
    """Return what was chosen, and the kept build; a banner says where it is one."""
    frame = viewing().frame().view
    build = filters.kept(frame)
    place = st.container()
    if build is not None:
        until = f", recorded until {at(build.recorded_until)} UTC" if build.recorded_until else ""
        place.warning(
            f"As of **{build.name}**: position {build.position:,}{until}. This is not live.", icon=":material/history:"
        )
    return filters.choice(frame), filters.build()


def fresh(seen: Seen[View], freshness: Freshness) -> View:
    """Say how fresh a view is, or why it is not, and where the data lie if not in the chosen days; return the view."""
    old = datetime.now(UTC) - seen.at
    problem = seen.problem or ("newer figures take long" if seen.late and old > _LONG else None)
    place = st.container()
    if problem is not None:
        place.warning(
            f"{problem.partition(':')[0].capitalize()} – these are the figures of {age(old)} ({seen.at:%H:%M:%S} UTC).",
            icon=":material/cloud_off:",
        )
    behind = f"{freshness.behind:,} positions behind the log" if freshness.behind else "at the end of the log"
    if filters.build() is not None:
        behind = "kept"
    more = " Newer figures are being read." if seen.late else ""
    if filters.build() is None and filters.refresh_every() is None:
        more += " Paused."
    note(f"Position {freshness.position:,}, {behind}. Read at {seen.at:%Y-%m-%d %H:%M:%S} UTC.{more}")
    st.session_state["read_at"] = f"{seen.at:%H:%M:%S}"
    if freshness.elsewhere is not None:
        words = f"No data in the chosen days. There are data {days_in_words(freshness.elsewhere)}"
        words += f"; the period {filters.ALL_DAYS} shows them."
        st.info(words, icon=":material/event_busy:")
    return seen.view


def not_applied(choice: Choice, facts: Sequence[Fact], of: str | None = None) -> None:
    """Name the chosen filters that nothing on the page knows; where others know them, of what they are not known."""
    if unknown := choice.unknown(facts):
        where = "here, and not applied" if of is None else f"of {of}, and not applied there"
        note(f"Not known {where}: {', '.join(unknown)}.")


def tiles(shown: Sequence[Tile], *, explained: bool = True) -> None:
    """Draw figures side by side, each with its freshness and the way to what is behind it."""
    for column, tile in zip(st.columns(len(shown)), shown, strict=True):
        with column.container(border=True, height="stretch"):
            _tile(tile)
            if explained:
                explain_link(tile.name, level=tile.level)


def _tile(tile: Tile) -> None:
    rises = tile.change is not None and tile.change.startswith("+")
    colour: Delta = "off" if tile.better is None else "normal" if tile.better == rises else "inverse"
    # A metric's own label is cut where it is too long; this one goes on in the next line.
    st.markdown(f":small[{tile.title}]", help=tile.meaning)
    st.metric(tile.title, tile.text, tile.change, colour, label_visibility="collapsed")
    charts.sparkline(tile.title, tile.trend)


def explain_link(name: str, *, level: bool = False, dated: bool = True) -> None:
    """Draw the way to the rows behind a figure, of all days where it is a level, with the time that it was read."""
    if name in TITLES:
        label = f":small[{st.session_state['read_at']} · Explain]" if dated else ":small[Explain]"
        whole = {"period": "All"} if level else {}
        query = address(kpi=TITLES[name]) | whole
        st.page_link(PAGES["explain"], label=label, query_params=query, help=f"The rows behind: {TITLES[name]}")


def address(**more: str) -> dict[str, Any]:
    """Return the parameters of the page's address, with others."""
    kept = {name: st.query_params.get_all(name) for name in st.query_params if name not in {"kpi", "row", "stream"}}
    return kept | dict(more)


def table(shown: Table, *, select: Callable[[str], None] | None = None, height: int = _ROWS) -> None:
    """Draw a table with its export; `select` is called with the key of a row that is chosen."""
    head(shown)
    if not shown.rows:
        note("None.")
        return
    data = {column.title: [_value(column, row[at]) for row in shown.rows] for at, column in enumerate(shown.columns)}
    config = {column.title: _config(column) for column in shown.columns}
    size = (min(len(shown.rows), height) + 1) * _ROW_HEIGHT + 3
    if select is None:
        st.dataframe(data, hide_index=True, column_config=config, height=size, alt=shown.title, placeholder="–")
        return
    key = f"rows of {slug(shown.title)}"
    st.session_state[f"keys of {key}"] = shown.keys

    def chosen() -> None:
        picked = st.session_state[key].selection.rows
        if picked:
            select(st.session_state[f"keys of {key}"][picked[0]])

    st.dataframe(
        data,
        hide_index=True,
        column_config=config,
        height=size,
        alt=shown.title,
        placeholder="–",
        key=key,
        on_select=chosen,
        selection_mode="single-row",
    )


def _value(column: Column, value: Any) -> Any:
    if value is None or column.form in {"text", "day", "time"}:
        return value
    if column.form == "flag":
        return "Yes" if value else "No"
    return (
        float(value) * 100 if column.form == "ratio" else float(value) if column.form in {"money", "number"} else value
    )


def _config(column: Column) -> Any:
    of = st.column_config
    made = {
        "count": of.NumberColumn(format="localized"),
        "money": of.NumberColumn(format="accounting"),
        "ratio": of.NumberColumn(format="%.1f%%"),
        "number": of.NumberColumn(format="%.1f"),
        "day": of.DateColumn(format="YYYY-MM-DD"),
        "time": of.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "flag": of.TextColumn(),
        "text": of.TextColumn(),
    }
    return made[column.form]
