"""Suppliers: how long they take, whether they keep to it, and what is spent."""

from __future__ import annotations

import streamlit as st

from application.queries.definitions import STOCK_MOVEMENTS
from dashboard import charts, parts
from dashboard.session import viewing


def draw() -> None:
    """Draw the page."""
    choice, build = parts.current()
    shown = parts.fresh(*viewing().suppliers(choice, build))
    parts.not_applied(choice, [STOCK_MOVEMENTS], "receipts")
    parts.tiles(shown.flows)
    parts.table(shown.ranking)
    drawn = (shown.lead_times, shown.spend)
    for column, each in zip(st.columns(2), drawn, strict=True):
        with column.container(border=True, height="stretch"):
            charts.bars(each)


parts.refreshing("Suppliers", draw)
