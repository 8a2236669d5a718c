"""Explain: from a figure to its rows, from a row to its events, from an event to the message as received."""

from __future__ import annotations

import streamlit as st

from application.queries.explain import ExplainedFigure, ExplainedMessage
from application.queries.views.explaining import TITLES
from application.queries.views.shapes import Column, Table
from application.queries.views.words import at, in_words
from dashboard import history, parts
from dashboard.export import note
from dashboard.session import viewing


def draw() -> None:
    """Draw the page."""
    choice, build = parts.current()
    name = st.selectbox("Figure", list(TITLES), 0, TITLES.__getitem__, key="kpi", bind="query-params")
    explained = parts.fresh(*viewing().explained(name, choice, build))
    parts.not_applied(choice, [explained.kpi.fact])
    _figure(explained)
    history.draw("stream", [row.row.stream_id for row in explained.rows])
    if event := st.query_params.get("event"):
        _message(viewing().message(event))


def _figure(explained: ExplainedFigure) -> None:
    kpi = explained.kpi
    st.metric(kpi.title, in_words(kpi, explained.figure), border=True)
    st.markdown(f"{kpi.description} {kpi.source}".strip())
    with st.expander("How it is computed"):
        st.code(
            f"{kpi.expression}\nover {kpi.fact.name}, policy {explained.policy.label}", language="sql", wrap_lines=True
        )
    columns = (Column("Row"), Column("Stream"), Column("First event", "count"), Column("Last event", "count"))
    rows = tuple(
        (each.name, each.row.stream_id, each.row.first_position, each.row.last_position) for each in explained.rows
    )
    shown = Table(
        f"Rows behind it ({kpi.fact.grain}), changed last first", columns, rows, tuple(row[1] for row in rows)
    )
    parts.table(shown, select=history.chooser("stream"))
    if rows:
        note(f"{len(rows):,} of {explained.total:,} rows are named.")


def _message(explained: ExplainedMessage) -> None:
    event, message = explained.event, explained.message
    st.subheader(f"Event {event.name}", anchor=False)
    note(f"{event.recorded.topic}, position {event.recorded.position:,}, recorded {at(event.metadata.recorded_at)} UTC")
    if message is None:
        st.info(f"No message caused it; it follows from {event.metadata.causation_id}.", icon=":material/link:")
        return
    st.markdown("**The message as received**")
    st.code(message.payload.decode("utf-8", "backslashreplace"), language="json", wrap_lines=True)


parts.refreshing("Explain", draw)
