"""Orders: how far they came, how long it took, what waits, and one order's story."""

from __future__ import annotations

import streamlit as st

from application.queries.definitions import ORDER_LINES, ORDERS
from dashboard import charts, parts
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
    parts.table(shown.latest, select=_choose)
    _story([*shown.latest.keys, *shown.waiting.keys])
    parts.table(shown.waiting, select=_choose)


def _choose(stream_id: str) -> None:
    st.session_state["order"] = stream_id


def _story(known: list[str]) -> None:
    order = st.selectbox(
        "One order's history",
        list(dict.fromkeys(known)),
        None,
        key="order",
        bind="query-params",
        accept_new_options=True,
        placeholder="Choose a row, or type an order such as order-10248",
    )
    if order:
        versions = viewing().history(order)
        if versions:
            parts.timeline(versions, "order")
        else:
            st.info(f"There is no stream {order}.", icon=":material/search_off:")


parts.refreshing("Orders", draw)
