"""Overview: how the supply chain does, against the period before."""

from __future__ import annotations

import streamlit as st

from application.queries.definitions import STOCK_DAILY
from application.queries.views.overview import Alert
from dashboard import charts, parts
from dashboard.session import viewing

BADGES = {
    "good": (":material/check_circle:", "green"),
    "warning": (":material/warning:", "orange"),
    "serious": (":material/error:", "red"),
}


def draw() -> None:
    """Draw the page."""
    choice, build = parts.current()
    shown = parts.fresh(*viewing().overview(choice, build))
    parts.not_applied(choice, [STOCK_DAILY], "stock")
    parts.tiles(shown.flows)
    for column, alert in zip(st.columns(len(shown.alerts)), shown.alerts, strict=True):
        with column.container(border=True, height="stretch"):
            _alert(alert)
    for column, series in zip(st.columns(2), shown.over_time, strict=True):
        with column.container(border=True):
            charts.over_time(series)
    st.subheader("Now", anchor=False)
    parts.tiles(shown.levels)
    st.subheader("In the period", anchor=False)
    for drawn in (shown.statuses, shown.sales):
        for column, each in zip(st.columns(2), drawn, strict=True):
            with column.container(border=True, height="stretch"):
                charts.bars(each)


def _alert(alert: Alert) -> None:
    icon, colour = BADGES[alert.severity]
    st.markdown(f":{colour}[{icon}] **{alert.number:,}** {alert.text}")
    label = f":small[{st.session_state['read_at']} · Look]"
    with st.container(horizontal=True, gap="small"):
        st.page_link(
            parts.PAGES[alert.page], label=label, query_params=parts.address(), help=f"To {alert.page}: {alert.text}"
        )
        if alert.figure is not None:
            parts.explain_link(alert.figure, level=True, dated=False)


parts.refreshing("Overview", draw)
