"""How long the dashboard takes over a million order lines: first paint, a filter, and twenty sessions that refresh.

A real Chromium looks at each page; before each look the figures move, so that none is answered from what was seen
before. The sessions that refresh have no browser: twenty of them on the machine that serves would measure each other.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from socket import socket
from threading import Event, Thread
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.kpi import DATAFLOW, DAYS, LINES, fill, url_of
from benchmarks.measure import Result, median, server
from benchmarks.sessions import readers, refreshed
from deploy.services import install

ROUNDS, REFRESHES, SESSIONS, INTERVAL = 3, 3, 20, 30
PAINT_TARGET, FILTER_TARGET = 2_000.0, 1_000.0
LINES_A_DAY = 960
"""Order lines a simulated day; so many days ago the lines begin, that the last are of today."""
PAGES = {
    "overview": "Net sales EUR by country",
    "orders": "Back-orders",
    "shipments": "Lanes",
    "inventory": "Stock by product and location",
    "suppliers": "Spend EUR by supplier",
    "pipeline": "Kept builds",
    "explain": "One stream's history",
}
"""The pages, with what each ends on."""
SPANS = ("Last 30 days", "All")
FILTERED = {"overview": "country", "orders": "country", "shipments": "carrier", "inventory": "category"}
DRAWN = """
([text, before]) => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton]')
    && document.querySelector('[data-testid=stMain]').textContent.includes(text)
    && document.querySelector('[data-testid=stMetricValue]')?.innerText !== before
"""
"""Looked at with each frame that the browser draws: a locator is looked for every half second, in the end."""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-background-networking",
    # Without a graphics card pages are put together as on the desktop of a virtual machine; the map needs WebGL.
    "--disable-gpu-compositing",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)


def paint() -> list[Result]:
    """Look at every page, choose filters, and let sessions refresh."""
    with server() as fresh, tempfile.TemporaryDirectory(prefix="dataflow-bench-") as folder:
        conninfo = fresh()
        start = datetime.now(UTC).date() - timedelta(days=-(-LINES // (LINES_A_DAY * DAYS)) * DAYS)
        lines = fill(conninfo, folder, start)
        return measure(conninfo, folder, lines)


def measure(conninfo: str, folder: str, lines: int) -> list[Result]:
    """Measure on a database that is filled."""
    with served(conninfo, folder) as url, psycopg.connect(conninfo, autocommit=True) as connection:
        with _browser() as browser:
            looks = {span: {p: _paints(browser, url, p, span, connection) for p in PAGES} for span in SPANS}
            filters = {span: {p: _filters(browser, url, p, span, connection) for p in FILTERED} for span in SPANS}
        with _moving(connection):
            one, many = (_refreshes(url, sessions) for sessions in (1, SESSIONS))
    usual, detail = SPANS[0], {"lines": lines, "rounds": ROUNDS}
    firsts, paints = ({span: _parts(looks[span], at) for span in SPANS} for at in (0, 1))
    first, slowest, filtered = _slowest(firsts[usual]), _slowest(paints[usual]), _slowest(filters[usual])
    return [
        Result(
            "dashboard.first_paint",
            round(first),
            "ms (slowest page)",
            "the target of 2 s",
            first / PAINT_TARGET,
            detail | {span: _rounded(firsts[span]) for span in SPANS},
        ),
        Result(
            "dashboard.paint",
            round(slowest),
            "ms (slowest page)",
            "the target of 2 s",
            slowest / PAINT_TARGET,
            detail | {span: _rounded(paints[span]) for span in SPANS},
        ),
        Result(
            "dashboard.filter",
            round(filtered),
            "ms (slowest page)",
            "the target of 1 s",
            filtered / FILTER_TARGET,
            detail | {span: _rounded(filters[span]) for span in SPANS},
        ),
        _of_sessions(one, many),
    ]


def _of_sessions(one: list[float], many: list[float]) -> Result:
    parts = {
        f"{sessions} session{'s' * (sessions > 1)}": {
            "refreshes": len(taken),
            "p50": round(1000 * _share(taken, 0.5)),
            "p95": round(1000 * _share(taken, 0.95)),
            "longest": round(1000 * taken[-1]),
        }
        for sessions, taken in ((1, one), (SESSIONS, many))
    }
    p95 = 1000 * _share(many, 0.95)
    baseline = f"the interval of {INTERVAL} s"
    return Result("dashboard.refresh", round(p95), "ms (p95 of 20)", baseline, p95 / (1000 * INTERVAL), {**parts})


def _paints(
    browser: Browser, url: str, name: str, span: str, connection: psycopg.Connection
) -> list[tuple[float, float]]:
    """Return the milliseconds to a page's first contentful paint, as the browser tells it, and to all its figures.

    Each time it is a browser that knows nothing yet.
    """
    taken = []
    for _ in range(ROUNDS):
        _move(connection)
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        page = context.new_page()
        started = time.perf_counter()
        _open(page, url, name, {"period": span})
        whole = 1000 * (time.perf_counter() - started)
        taken.append((page.evaluate(FIRST_PAINT), whole))
        context.close()
    return taken


def _filters(browser: Browser, url: str, name: str, span: str, connection: psycopg.Connection) -> list[float]:
    """Return the milliseconds from choosing another member to the figures of that one."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    _open(page, url, name, {"period": span})
    page.get_by_text("Refresh by itself").click()
    page.get_by_text("Paused").first.wait_for()
    taken = []
    for at in range(ROUNDS):
        _move(connection)
        before = page.locator("[data-testid=stMetricValue]").first.inner_text()
        page.get_by_role("combobox", name=FILTERED[name].capitalize()).first.click()
        choice = page.get_by_role("option").nth(1 + at)
        choice.wait_for()
        started = time.perf_counter()
        choice.click()
        page.wait_for_function(DRAWN, arg=[PAGES[name], before])
        taken.append(1000 * (time.perf_counter() - started))
        page.keyboard.press("Escape")
    context.close()
    return taken


def _open(page: Page, url: str, name: str, choice: dict[str, str]) -> None:
    path = "" if name == "overview" else name
    page.goto(f"{url}/{path}?{urlencode(choice)}")
    page.wait_for_function(DRAWN, arg=[PAGES[name], ""], timeout=120_000)


def _refreshes(url: str, sessions: int) -> list[float]:
    """Return the seconds of each refresh, in order of length: every session shows another page, or other members."""
    categories = ("", "Electronics", "Toys")
    names = list(PAGES)
    pages = [
        ("" if name == "overview" else name, {"category": category} if category else {})
        for category in categories
        for name in names
    ][:sessions]
    with readers(url, pages) as opened:
        return refreshed(opened, REFRESHES)


def _move(connection: psycopg.Connection) -> None:
    """Let the figures be of another position, as each batch that is projected does."""
    connection.execute("UPDATE events.notification_tracking SET notification_id = notification_id + 1")


@contextmanager
def _moving(connection: psycopg.Connection) -> Iterator[None]:
    """Let the figures move every second."""
    stop = Event()

    def move() -> None:
        while not stop.wait(1.0):
            _move(connection)

    thread = Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def served(conninfo: str, folder: str) -> Iterator[str]:
    """Serve the dashboard of a database; give its address."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATAFLOW_HOME": folder,
        "DATAFLOW_DATABASE_URL": url_of(conninfo),
        "DATAFLOW_DASHBOARD_PORT": str(port),
        "DATAFLOW_DASHBOARD_REFRESH_SECONDS": str(INTERVAL),
    }
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([DATAFLOW, "dashboard"], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            while not _answers(f"{url}/_stcore/health"):
                assert process.poll() is None, "the dashboard's process ended"
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()


@contextmanager
def _browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        path = str(install.program("chromium", "chromium"))
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        stack.callback(browser.close)
        yield browser


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 - an address of our own
            return bool(response.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


def _parts(pages: dict[str, list[tuple[float, float]]], at: int) -> dict[str, list[float]]:
    return {name: [look[at] for look in looks] for name, looks in pages.items()}


def _slowest(pages: dict[str, list[float]]) -> float:
    return max(median(each) for each in pages.values())


def _share(taken: Sequence[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))]


def _rounded(pages: dict[str, list[float]]) -> dict[str, list[int]]:
    return {name: [round(each) for each in taken] for name, taken in pages.items()}


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"dashboard.paint": paint}
