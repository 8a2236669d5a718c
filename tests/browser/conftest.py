"""One browser and one data folder with its dashboard, for all tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.served import Served, Viewer, chromium, dashboard


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with dashboard(tmp_path_factory.mktemp("served") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def context(browser: Browser) -> BrowserContext:
    """One reader's browser, which keeps what it loaded once."""
    return browser.new_context(viewport={"width": 1360, "height": 900}, color_scheme="light", reduced_motion="reduce")


@pytest.fixture
def viewer(context: BrowserContext, served: Served) -> Iterator[Viewer]:
    """A window from which no request may leave the machine."""
    window = Viewer(context, served)
    yield window
    window.leave()
    assert window.hosts <= {served.url.removeprefix("http://"), ""}
