"""Pipeline: what came in, what became of it, how far the figures are, and what was proved about them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from application.errors import PlatformError
from application.ports.inbox import Quarantined
from application.queries.views.pipeline import Pipeline
from dashboard import parts
from dashboard.export import note
from dashboard.session import reader, viewing

_MOST_PAYLOAD = 20_000


def draw() -> None:
    """Draw the page."""
    shown = parts.fresh(*viewing().pipeline())
    _balance(shown)
    _flow(shown)
    parts.table(shown.quarantine, select=_choose)
    if shown.messages:
        _settle(shown.messages)
        parts.table(shown.reasons)
    parts.table(shown.checks)
    parts.table(shown.certificates)
    parts.table(shown.builds)


def _balance(shown: Pipeline) -> None:
    balance = shown.balance
    sign = "=" if balance.holds else "≠"
    _tiles(
        ("Received", f"{balance.received:,}", "Messages in bronze, each as it came."),
        (f"{sign} Applied", f"{balance.applied:,}", "Messages that became events, those after a retry included."),
        ("+ Duplicate", f"{balance.duplicate:,}", "Messages whose source and id had been received before."),
        ("+ Quarantined", f"{balance.quarantined:,}", "Messages held back with a reason; those open are listed below."),
    )
    if not balance.holds:
        st.error("The balance does not hold: something was counted wrongly.", icon=":material/error:")


def _flow(shown: Pipeline) -> None:
    flow = shown.flow
    since = f"since {flow.since:%H:%M:%S} UTC" if flow.since else "measured from the second refresh on"
    _tiles(
        ("Behind the log", f"{flow.lag:,} positions", "How far the log is ahead of the figures."),
        ("Messages received", _rate(flow.messages), f"A second, {since}."),
        ("Log positions projected", _rate(flow.events), f"A second, {since}."),
    )


def _tiles(*figures: tuple[str, str, str]) -> None:
    """Draw figures of the pipeline itself: they stand for no rows of gold, so that each says what it counts."""
    for column, (title, text, meaning) in zip(st.columns(len(figures)), figures, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(title, text)
            note(f"{st.session_state['read_at']} · {meaning}")


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:,.1f} /s"


def _choose(number: str) -> None:
    st.session_state["message"] = int(number)


def _settle(messages: Sequence[Quarantined]) -> None:
    by_number = {message.quarantine_id: message for message in messages}
    chosen = st.session_state.get("message")
    # Only where there is something to take back: what is set here wins over what a reader chooses meanwhile.
    if chosen is not None and chosen not in by_number:
        st.session_state["message"] = None
    number = st.selectbox(
        "One message",
        list(by_number),
        None,
        lambda each: f"{each} · {by_number[each].code} · {by_number[each].source}",
        key="message",
        placeholder="Choose a row, or a message here",
    )
    if number is not None:
        _message(by_number[number])


def _message(message: Quarantined) -> None:
    st.markdown(f"**Message {message.quarantine_id}**: {message.detail}")
    try:
        payload = viewing().payload(message.quarantine_id)
    except PlatformError as error:
        st.error(" ".join(str(error).split()))
        return
    st.code(payload.decode("utf-8", "backslashreplace")[:_MOST_PAYLOAD], language="json", wrap_lines=True)
    who = reader()
    if who is None or not who.operator:
        note("Operators may retry or discard it.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Retry", type="primary", on_click=_retry, args=(message.quarantine_id, who.name))
        reason = st.text_input("Why discard it?", key="why", placeholder="kept with the message")
        st.button("Discard", on_click=_discard, args=(message.quarantine_id, who.name), disabled=not reason.strip())
    note(f"Done as {who.name}, and kept with the message.")


def _retry(number: int, actor: str) -> None:
    try:
        results = viewing().retry([number], actor)
    except PlatformError as error:
        st.toast(" ".join(str(error).split()), icon=":material/error:")
        return
    for result in results:
        if result.reason is None:
            st.toast(f"Message {result.quarantine_id} is applied.", icon=":material/check_circle:")
        else:
            st.toast(f"Message {result.quarantine_id} stays: {result.reason.detail}", icon=":material/warning:")


def _discard(number: int, actor: str) -> None:
    try:
        viewing().discard([number], actor, st.session_state["why"].strip())
    except PlatformError as error:
        st.toast(" ".join(str(error).split()), icon=":material/error:")
        return
    st.session_state["why"] = ""
    st.toast(f"Message {number} is discarded.", icon=":material/delete:")


parts.refreshing("Pipeline", draw)
