"""Inventory: what is where, how long it lasts, what to order, and when there was nothing."""

from __future__ import annotations

import streamlit as st

from application.queries.definitions import STOCK_DAILY
from dashboard import charts, parts
from dashboard.session import viewing


def draw() -> None:
    """Draw the page."""
    choice, build = parts.current()
    shown = parts.fresh(*viewing().inventory(choice, build))
    parts.not_applied(choice, [STOCK_DAILY])
    parts.tiles(shown.levels)
    parts.tiles(shown.flows)
    parts.table(shown.reorder)
    for column, series in zip(st.columns(2), shown.over_time, strict=True):
        with column.container(border=True):
            charts.over_time(series)
    with st.container(border=True):
        charts.calendar("Stocks without an available unit by day: the darker, the more", shown.calendar)
    parts.table(shown.locations)
    parts.table(shown.stocks)


parts.refreshing("Inventory", draw)
