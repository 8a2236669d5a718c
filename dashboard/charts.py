"""All charts and the map; colours come from the theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import altair as alt
import pydeck as pdk
import streamlit as st
from altair.utils import schemapi

from application.queries.views.inventory import Day
from application.queries.views.shapes import Bars, Column, Series, Table, bars_as_table, line, series_as_table
from application.queries.views.shipments import Route
from dashboard.export import head, note

TIME_HEIGHT, BAR_HEIGHT, CALENDAR_ROW, MAP_HEIGHT, SPARK_HEIGHT = 220, 30, 22, 460, 36
WORDS_IN_A_BAR = 36
LAND = "app/static/countries.json"
Colour = tuple[int, int, int, int]
_LATE: Colour = (214, 84, 54, 230)
_IN_TIME: dict[bool, Colour] = {True: (111, 179, 210, 200), False: (47, 111, 143, 200)}
_GROUND: dict[bool, tuple[Colour, Colour]] = {
    True: ((48, 54, 64, 255), (90, 98, 110, 255)),
    False: ((232, 235, 238, 255), (190, 197, 204, 255)),
}
NOTHING = "Nothing in this period."
schemapi.DEBUG_MODE = False


def sparkline(title: str, trend: Sequence[float | None]) -> None:
    """Draw how a figure went, the oldest on the left: a line alone, which needs no chart."""
    parts = line(trend)
    if not parts:
        return
    colour = st.get_option(f"theme.{'dark' if st.context.theme.type == 'dark' else 'light'}.primaryColor")
    drawn = "".join(
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" '
        'vector-effect="non-scaling-stroke"/>'
        for points, width in map(_drawn, parts)
    )
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -5 100 110" preserveAspectRatio="none" width="100" '
        f'height="{SPARK_HEIGHT}">{drawn}</svg>'
    )
    source, words = f"data:image/svg+xml,{quote(picture)}", escape(f"{title} over time")
    # A drawing within the page would be taken out; a picture of it is not.
    st.html(f'<img src="{source}" alt="{words}" style="width: 100%; height: {SPARK_HEIGHT}px">')


def _drawn(part: Sequence[tuple[float, float]]) -> tuple[str, float]:
    """Return the points and the width of a part of a line; of one point alone, the round ends make a dot."""
    points = [f"{x:.2f},{y:.2f}" for x, y in part]
    return (" ".join(points), 1.5) if len(points) > 1 else (" ".join(points * 2), 3)


def over_time(series: Series) -> None:
    """Draw a figure by days or weeks."""
    starts = [step.first for step in series.steps]
    shown = starts[:: max(1, len(starts) // 6)]
    ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True) for day in shown]
    # The year stands below the first day where it is that of all, else below each: some are left out on a phone.
    several = "true" if len({day.year for day in shown}) > 1 else "false"
    day, year = "utcFormat(datum.value, '%d %b')", "utcFormat(datum.value, '%Y')"
    words = f"[{day}, {several} || datum.index == 0 ? {year} : '']"
    steps = [step._asdict() | {"first": f"{step.first}", "end": f"{step.end}"} for step in series.steps]
    chart = (
        alt.Chart(alt.InlineData(values=steps), height=TIME_HEIGHT)
        .mark_bar(x2Offset=-1)
        .encode(
            alt.X("first:T", title=None, scale=alt.Scale(type="utc")).axis(values=ticks, labelExpr=words, grid=False),
            alt.X2("end:T"),
            alt.Y("value:Q", title=None, axis=alt.Axis(format="~s", tickCount=4)),
            y2=alt.datum(0),
            tooltip=[alt.Tooltip("first:N", title="From"), alt.Tooltip("text:N", title=series.title)],
        )
    )
    _titled(series_as_table(series), chart)


def bars(drawn: Bars) -> None:
    """Draw the members of a dimension, one under the other."""
    rows = [bar._asdict() for bar in drawn.bars]
    most = max((bar.value for bar in drawn.bars), default=0)
    room = 1 + max((len(bar.text) for bar in drawn.bars), default=0) / WORDS_IN_A_BAR
    base = alt.Chart(alt.InlineData(values=rows), height=BAR_HEIGHT * len(rows)).encode(
        # Room for the words behind the longest bar.
        alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, most * room or 1])),
        alt.Y("label:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=170)),
    )
    # The canvas inherits the page's text colour, light or dark.
    texts = base.mark_text(align="left", dx=6, color="currentColor").encode(text="text:N")
    # Room around that is not asked for would be taken from the bars: nearly all of it where there is one.
    around = {"top": 0, "bottom": 0, "left": 0, "right": 0}
    _titled(bars_as_table(drawn), (base.mark_bar() + texts).properties(padding=around))


def distribution(drawn: Bars) -> None:
    """Draw how often each value occurs."""
    rows = [bar._asdict() for bar in drawn.bars]
    chart = (
        alt.Chart(alt.InlineData(values=rows), height=TIME_HEIGHT)
        .mark_bar()
        .encode(
            alt.X("label:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, ticks=False)),
            alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4)),
            tooltip=[alt.Tooltip("label:N", title="Days"), alt.Tooltip("text:N", title="Orders")],
        )
    )
    _titled(bars_as_table(drawn), chart)


def calendar(title: str, days: Sequence[Day]) -> None:
    """Draw a square for each day: weeks from left to right, Monday on top; the darker, the more."""
    rows = [
        {
            "week": f"{each.day:%G-W%V}",
            "weekday": f"{each.day:%a}",
            "stocks": each.stocks,
            "day": f"{each.day:%a %d %b %Y}",
        }
        for each in days
    ]
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    chart = (
        alt.Chart(alt.InlineData(values=rows), height=CALENDAR_ROW * len(names))
        .mark_rect(cornerRadius=2)
        .encode(
            alt.X("week:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False, domain=False)),
            alt.Y("weekday:O", title=None, sort=names, axis=alt.Axis(ticks=False, domain=False)),
            # The theme's colour, by day and by night: the more stocks, the less of the ground shows through.
            alt.Opacity("stocks:Q", legend=None, scale=alt.Scale(domainMin=0, range=[0.1, 1])),
            tooltip=[alt.Tooltip("day:N", title="Day"), alt.Tooltip("stocks:Q", title="Without an available unit")],
        )
    )
    _titled(Table(title, (Column("Day", "day"), Column("Stocks", "count")), tuple(days)), chart)


def map_of(routes: Sequence[Route], tiles: str | None) -> None:
    """Draw routes as arcs and shipments where they were last seen, late ones in red."""
    dark = st.context.theme.type == "dark"
    layers = [_ground(dark, tiles), *_routes(routes, dark)]
    deck = pdk.Deck(
        layers,
        initial_view_state=pdk.ViewState(latitude=22, longitude=5, zoom=0.75, min_zoom=0.4, max_zoom=9),
        # Neither a map service's picture nor its style: what lies under the routes is among the layers.
        map_provider=None,
        tooltip={"text": "{title}\n{detail}"},
    )
    st.pydeck_chart(deck, height=MAP_HEIGHT, key="map", alt=f"{len(routes)} shipments on a map of the world")


def _routes(routes: Sequence[Route], dark: bool) -> list[pdk.Layer]:
    arcs, seen = [], []
    for route in routes:
        colour = _LATE if route.late else _IN_TIME[dark]
        words = {"title": route.title, "detail": route.detail}
        # What has arrived stays in the background.
        faded = (*colour[:3], 60 if route.seen is None and not route.late else 200)
        arcs.append(words | {"start": route.start, "end": route.end, "colour": faded})
        if route.seen is not None:
            seen.append(words | {"seen": route.seen, "colour": colour})
    return [
        pdk.Layer(
            "ArcLayer",
            arcs,
            id="routes",
            pickable=True,
            get_source_position="start",
            get_target_position="end",
            get_source_color="colour",
            get_target_color="colour",
            get_width=1.5,
            get_height=0.25,
            great_circle=False,
        ),
        pdk.Layer(
            "ScatterplotLayer",
            seen,
            id="positions",
            pickable=True,
            get_position="seen",
            get_fill_color="colour",
            get_radius=1,
            radius_min_pixels=5,
            radius_max_pixels=9,
        ),
    ]


def _ground(dark: bool, tiles: str | None) -> pdk.Layer:
    if tiles is not None:
        return pdk.Layer("TileLayer", data=tiles, id="tiles", min_zoom=0, max_zoom=19, tile_size=256)
    land, border = _GROUND[dark]
    return pdk.Layer(
        "GeoJsonLayer",
        LAND,
        id="land",
        get_fill_color=list(land),
        get_line_color=list(border),
        line_width_min_pixels=0.5,
    )


def _titled(table: Table, chart: alt.Chart | alt.LayerChart) -> None:
    head(table)
    if table.rows:
        _show(chart, table.title)
    else:
        note(NOTHING)


def _show(chart: alt.Chart | alt.LayerChart, words: str) -> None:
    """Draw a chart whose specification is not checked against its schema each time: that takes longer than drawing."""
    st.vega_lite_chart(spec=chart.to_dict(validate=False), alt=words)
