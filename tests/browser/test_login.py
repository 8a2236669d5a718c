"""Who may look and who may settle messages, with a real OpenID Connect provider and a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from application.ports.inbox import QuarantineStatus
from tests.acceptance.home import free_port, until
from tests.browser.served import Served, Viewer, answers, serving

PEOPLE = {"vera": ["viewer"], "otto": ["staff", "operator"], "nora": ["staff"]}
"""Who the provider knows, and the roles that its tokens say."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider."""
    port = free_port()
    people = [
        json.dumps({"sub": name, "email": f"{name}@example.org", "access": {"roles": roles}})
        for name, roles in PEOPLE.items()
    ]
    known = [part for each in people for part in ("--user-claims", each)]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *known]
    url = f"http://localhost:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: answers(f"{url}/.well-known/openid-configuration"), "there is no provider")
        yield url
        process.terminate()


@pytest.fixture(scope="module")
def guarded(served: Served, provider: str) -> Iterator[Served]:
    """The same figures behind a login, for those whom the provider calls operator or viewer."""
    port = free_port()
    login = {
        "metadata_url": f"{provider}/.well-known/openid-configuration",
        "client_id": "dataflow",
        "client_secret": "only for tests",
        "redirect_url": f"http://127.0.0.1:{port}/oauth2callback",
        "roles_claim": "access.roles",
    }
    with serving(served, port, **{f"dashboard_login_{name}": value for name, value in login.items()}) as running:
        yield running


@pytest.fixture(scope="module")
def asking(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own; the provider's form asks elsewhere for its looks, and gets nothing."""
    with closing(browser.new_context(reduced_motion="reduce")) as own:
        own.route("https://**", lambda route: route.abort())
        yield own


@pytest.fixture
def context(asking: BrowserContext, guarded: Served) -> Iterator[BrowserContext]:
    """That browser, in which nobody is logged in."""
    yield asking
    Viewer(asking, guarded).leave()
    asking.clear_cookies()


def logged_in(context: BrowserContext, guarded: Served, name: str, path: str = "/") -> Viewer:
    window = Viewer(context, guarded)
    page = window.page
    page.goto(guarded.url)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(f"{guarded.url}/**")
    page.get_by_text("Read at").or_(page.get_by_text("may not look")).first.wait_for()
    if path != "/":
        page.goto(guarded.url + path)
    return window


def an_open_message(window: Viewer, guarded: Served) -> int:
    """Choose a message in quarantine; return its number."""
    number = guarded.container.inbox().quarantine(status=QuarantineStatus.OPEN)[0].quarantine_id
    window.settled()
    window.choose("One message", f"{number} ")
    window.page.get_by_text(f"Message {number}").first.wait_for()
    return number


def test_without_a_login_there_is_no_figure(context: BrowserContext, guarded: Served) -> None:
    page = Viewer(context, guarded).page
    for path in ("/", "/orders", "/pipeline", "/explain"):
        page.goto(guarded.url + path)
        page.get_by_text("Log in to see the supply chain.").wait_for()
        expect(page.get_by_test_id("stMetric")).to_have_count(0)
        expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
        expect(page.get_by_test_id("stSidebar")).to_have_count(0)


def test_a_viewer_sees_what_is_in_quarantine_and_can_not_settle_it(context: BrowserContext, guarded: Served) -> None:
    window = logged_in(context, guarded, "vera", "/pipeline")
    an_open_message(window, guarded)
    page = window.page
    page.get_by_text("Operators may retry or discard it.").wait_for()
    for name in ("Retry", "Discard"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_an_operator_settles_a_message_and_is_named_with_it(context: BrowserContext, guarded: Served) -> None:
    window = logged_in(context, guarded, "otto", "/pipeline")
    number = an_open_message(window, guarded)
    page = window.page
    page.get_by_role("textbox", name="Why discard it?").fill("sent twice by mistake")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Discard").click()
    page.get_by_text(f"Message {number} is discarded.").wait_for()
    (settled,) = guarded.container.inbox().quarantine([number])
    assert (settled.status, settled.actor, settled.note) == (
        QuarantineStatus.DISCARDED,
        "otto@example.org",
        "sent twice by mistake",
    )


def test_whoever_has_neither_role_may_not_look_and_can_log_out(context: BrowserContext, guarded: Served) -> None:
    page = logged_in(context, guarded, "nora").page
    page.get_by_text("nora@example.org may not look at this page.").wait_for()
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/end_session**")
