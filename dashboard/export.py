"""The head of a chart or table: its title, and its figures as a file."""

from __future__ import annotations

import re

import streamlit as st

from application.queries.views.shapes import Table, as_csv


def head(shown: Table) -> None:
    """Draw the title, and the button that gives what is shown as CSV, every digit of it."""
    name = f"{slug(shown.title)}.csv"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{shown.title}**", width="content")
        if shown.rows:
            st.download_button(
                "CSV",
                as_csv(shown),
                name,
                "text/csv",
                key=f"csv {name}",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
                help=f"{shown.title} as CSV",
            )


def note(text: str) -> None:
    """Draw small text in the page's own colour: that of captions is too faint to be read by everyone."""
    st.markdown(f":small[{text}]")


def slug(title: str) -> str:
    """Return a title as the name of a file or widget."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
