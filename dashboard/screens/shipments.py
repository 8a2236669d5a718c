"""Shipments: where they are, which are late, and how carriers and lanes do."""

from __future__ import annotations

import streamlit as st

from application.queries.definitions import SHIPMENTS
from dashboard import charts, parts
from dashboard.session import settings, viewing


def draw() -> None:
    """Draw the page."""
    choice, build = parts.current()
    shown = parts.fresh(*viewing().shipments(choice, build))
    parts.not_applied(choice, [SHIPMENTS])
    parts.tiles(shown.flows)
    with st.container(border=True):
        late = sum(route.late for route in shown.routes)
        seen = sum(route.seen is not None for route in shown.routes)
        left = f"{len(shown.routes):,} of {shown.dispatched:,} shipments that left"
        st.markdown(f"**On the map {left}: of these, {seen:,} under way with a known position, :red[{late:,} late]**")
        charts.map_of(shown.routes, settings().tiles)
    parts.table(shown.carriers)
    parts.table(shown.lanes)
    parts.table(shown.latest)


parts.refreshing("Shipments", draw)
