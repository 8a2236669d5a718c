"""Orders: how far they came, how long it took, what waits, and one order's story."""

from __future__ import annotations

import streamlit as st

from application.queries.definitions import ORDER_LINES, ORDERS
from dashboard import charts, history, parts
from dashboard.session import viewing


def draw() -> None:
    """Draw the page."""
    choice, build = parts.current()
    shown = parts.fresh(*viewing().orders(choice, build))
    parts.not_applied(choice, [ORDERS, ORDER_LINES])
    parts.tiles(shown.flows)
    funnel, cycle = st.columns(2)
    with funnel.container(border=True, height="stretch"):
        charts.bars(shown.funnel)
    with cycle.container(border=True, height="stretch"):
        charts.distribution(shown.cycle)
    parts.table(shown.latest, select=history.chooser("order"))
    history.draw("order", [*shown.latest.keys, *shown.waiting.keys])
    parts.table(shown.waiting, select=history.chooser("order"))


parts.refreshing("Orders", draw)
