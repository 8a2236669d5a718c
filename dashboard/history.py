"""One stream's history: chosen from a table or typed, and drawn as a timeline with its state at each version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from application.queries.views.history import Version, changed
from application.queries.views.shapes import Column, Table
from application.queries.views.words import at
from dashboard import parts
from dashboard.session import viewing


def chooser(kind: str) -> Callable[[str], None]:
    """Return what a table calls when one of its rows is chosen: `draw` then shows that row's stream."""
    return partial(_choose, kind)


def draw(kind: str, known: Sequence[str]) -> None:
    """Let the reader choose or type a stream, which the address keeps under `kind`; draw its history."""
    stream_id = st.selectbox(
        f"One {kind}'s history",
        list(dict.fromkeys(known)),
        None,
        key=kind,
        bind="query-params",
        accept_new_options=True,
        placeholder="Choose a row, or type one such as order-10248",
    )
    if stream_id:
        versions = viewing().history(stream_id)
        if versions:
            _timeline(versions, kind)
        else:
            st.info(f"There is no stream {stream_id}.", icon=":material/search_off:")


def _choose(kind: str, stream_id: str) -> None:
    st.session_state[kind] = stream_id


def _timeline(versions: Sequence[Version], kind: str) -> None:
    """Draw a stream's events in order, and what the chosen one changed."""
    rows = tuple((v.version, v.occurred_at, v.title, v.text, v.source or v.actor) for v in versions)
    columns = (
        Column("Version", "count"),
        Column("When (UTC)", "time"),
        Column("What"),
        Column("Details"),
        Column("Source"),
    )
    parts.table(Table(f"History of {versions[0].name.rpartition(':')[0]}", columns, rows))
    titles = {v.version: f"{v.version} · {v.title} · {at(v.occurred_at)}" for v in versions}
    version = st.selectbox("Version", list(titles), len(titles) - 1, titles.__getitem__, key=f"version of {kind}")
    chosen = next(i for i, each in enumerate(versions) if each.version == version)
    before, after = st.columns(2)
    with before:
        difference = changed(versions, chosen)
        changes = tuple((name, _text(old), _text(new)) for name, (old, new) in difference.items())
        parts.table(
            Table(f"Changed by version {version}", (Column("Part"), Column("Before"), Column("After")), changes)
        )
    with after:
        st.markdown(f"**State at version {version}**")
        st.json(versions[chosen].state, expanded=1)
    st.page_link(
        parts.PAGES["explain"],
        label="The message behind it",
        query_params=parts.address(event=versions[chosen].name),
        icon=":material/mail:",
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
