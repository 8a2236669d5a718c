"""What `dataflow dashboard` serves: who may look, the way between the pages, and the filters that they share."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from application.errors import PlatformError
from dashboard import filters
from dashboard.parts import PAGES
from dashboard.session import reader, settings, viewing
from entrypoints.settings import SettingsError

ICON = Path(__file__).parent / "static" / "icon.png"
# Pixels: both days of a period have room.
SIDEBAR_WIDTH = 330
ICONS = {
    "overview": ":material/dashboard:",
    "orders": ":material/shopping_cart:",
    "shipments": ":material/local_shipping:",
    "inventory": ":material/inventory_2:",
    "suppliers": ":material/factory:",
    "pipeline": ":material/account_tree:",
    "explain": ":material/search:",
}


def _login() -> None:
    st.title("DataFlow", anchor=False)
    if st.user.is_logged_in:
        st.error(f"{st.user.get('email', 'You')} may not look at this page.", icon=":material/lock:")
        st.button("Log out", on_click=st.logout)
    else:
        st.write("Log in to see the supply chain.")
        st.button("Log in", on_click=st.login, type="primary")


def _frame() -> None:
    """Draw the way between the pages and the filters, then the page."""
    pages = [
        st.Page(file, title=name.capitalize(), icon=ICONS[name], url_path=name, default=name == "overview")
        for name, file in PAGES.items()
    ]
    page = st.navigation(pages)
    try:
        filters.sidebar(viewing().frame().view)
    except (PlatformError, SettingsError) as error:
        st.sidebar.error(" ".join(str(error).split()), icon=":material/cloud_off:")
    if READER is not None and settings().login is not None:
        st.sidebar.markdown(f":small[Logged in as {READER.name}, {'operator' if READER.operator else 'viewer'}.]")
        st.sidebar.button("Log out", on_click=st.logout)
    page.run()


st.set_page_config(page_title="DataFlow", page_icon=str(ICON), layout="wide", initial_sidebar_state=SIDEBAR_WIDTH)
try:
    settings()
    READER = reader()
except SettingsError as wrong:
    st.error(str(wrong), icon=":material/settings:")
    st.stop()
if READER is None:
    _login()
else:
    _frame()
