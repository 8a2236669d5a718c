"""The one platform that all sessions look at, and who looks."""

from __future__ import annotations

import getpass
import os
from typing import NamedTuple

import streamlit as st

from entrypoints import page_settings
from entrypoints.cli.context import read_settings
from entrypoints.page_settings import PageSettings
from entrypoints.viewing import Viewing


class Reader(NamedTuple):
    """Who looks at the page, and whether they may settle quarantined messages."""

    name: str
    operator: bool


@st.cache_resource
def viewing() -> Viewing:
    """Return what all sessions share; raises SettingsError."""
    return Viewing(read_settings())


@st.cache_resource
def settings() -> PageSettings:
    """Return the dashboard's own settings; raises SettingsError."""
    return page_settings.from_environment(os.environ)


def reader() -> Reader | None:
    """Return who looks, None where they have to log in first or may not look; without a login, this user."""
    page = settings()
    if page.login is None:
        return Reader(getpass.getuser(), operator=not page.open)
    claims = st.user.to_dict()
    role = page_settings.role_of(page, claims) if st.user.is_logged_in else None
    return None if role is None else Reader(page_settings.name_of(claims), role == "operator")
