"""A dashboard that is served on a data folder, a browser that looks at it, and what the browser asked for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from dependency_injector import providers
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from application.ingest.messages import encode_command
from application.ports.message_stream import OutgoingMessage
from application.simulation.faults import with_faults
from application.simulation.settings import SimulationSettings
from application.simulation.simulation import messages
from deploy.services import install
from domain.order.commands import OrderedLine, PlaceOrder
from entrypoints import pipeline
from entrypoints.cli.context import platform
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.acceptance.home import Home, free_port, until

ORDERS = 60
ARGUMENTS = (
    "--headless",
    "--disable-gpu-compositing",
    "--no-sandbox",
    "--disable-background-networking",
    # The map is drawn by WebGL: without a graphics card, in software.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
README = {"overview": "dashboard.png"} | {
    name: f"dashboard-{name}.png" for name in ("orders", "shipments", "inventory", "suppliers", "pipeline")
}
README["explain-message"] = "dashboard-explain.png"
"""The pictures of the README by what they show; they are taken anew into the folder DATAFLOW_PICTURES."""
SHOTS = Path(__file__).resolve().parents[2] / "build" / "dashboard"
PATIENCE_MS = 30_000
AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"


def silent(_done: int, _total: int | None) -> None:
    """Report nothing."""


def order(order_id: str, placed_at: datetime | None = None) -> OutgoingMessage:
    """Return the message that places an order, now if no other time is said."""
    line = OrderedLine(line_no=1, product_id="PRD-001", quantity=2, unit_price=Decimal(5), discount=Decimal(0))
    placed = PlaceOrder(
        occurred_at=placed_at or datetime.now(UTC),
        order_id=order_id,
        customer_id="CUS-1",
        currency="EUR",
        lines=(line,),
    )
    return encode_command(placed, message_id=f"place {order_id}", source="shop")


class Served:
    """The dashboard of one data folder, and the platform behind it."""

    def __init__(self, home: Home, port: int, container: Container) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self.container = container

    def take_in(self, *sent: OutgoingMessage, clock: datetime | None = None) -> None:
        """Send messages through the platform to the figures, by a clock of their own if one is given."""
        if clock is not None:
            self.container.now.override(providers.Object(lambda: clock))
        pipeline.publish(self.container, sent, silent)
        pipeline.take_in(self.container, silent)
        pipeline.project(self.container, silent)
        self.container.now.reset_override()

    def figure(self, *arguments: str) -> dict[str, Any]:
        """Return what `dataflow kpi --json` says."""
        (row,) = self.home.json("kpi", *arguments)["rows"]
        figures: dict[str, Any] = row["figures"]
        return figures


@contextmanager
def dashboard(folder: Path) -> Iterator[Served]:
    """Serve the dashboard on orders of the last 60 days."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=60)
    made = messages(SimulationSettings(start=start, seed=7, orders=ORDERS, days=60))
    with closing(Home(folder).keep_server()) as home, platform(Settings(home=folder)) as container:
        served = Served(home, 0, container)
        served.take_in(*with_faults(made, seed=7, duplicate_share=0.02, late_share=0, broken_share=0.01))
        with serving(served, free_port()) as running:
            yield running


@contextmanager
def serving(data: Served, port: int, **settings: object) -> Iterator[Served]:
    """Serve a dashboard on data that are there, on a port of its own, until it is asked to end."""
    served = Served(data.home, port, data.container)
    process = data.home.start("dashboard", dashboard_port=port, **({"dashboard_refresh_seconds": 2} | settings))
    try:
        until(lambda: answers(f"{served.url}/_stcore/health") or process.poll() is not None, "it is not served")
        assert process.poll() is None, process.communicate()
        yield served
    finally:
        # Asked to end, it ends its own process too, which a kill would leave behind.
        process.terminate()
        process.communicate(timeout=30)


def answers(url: str) -> bool:
    """Tell whether something is served there."""
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 - an address of our own
            return bool(response.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open a browser; without one, a run that requires every server installs it, and any other skips."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("DATAFLOW_REQUIRE_SERVICES") != "1":
            pytest.skip("there is no chromium")
        path = str(install.program("chromium", "chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


def colours(picture: bytes) -> set[tuple[int, ...]]:
    """Return the colours of a picture."""
    opened = Image.open(BytesIO(picture)).convert("RGB")
    return {colour for _, colour in opened.getcolors(opened.width * opened.height) or []}


class Viewer:
    """One reader's window, and every host that it asked for something.

    It is the one that is open, if any: whatever loads there again takes half of what it takes a new one.
    """

    def __init__(self, context: BrowserContext, served: Served) -> None:
        context.set_default_timeout(PATIENCE_MS)
        self.hosts: set[str] = set()
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page: Page = context.pages[0] if context.pages else context.new_page()
        self._served = served

    def open(self, path: str = "/") -> Page:
        """Open a page, and wait until it shows figures and is at rest."""
        self.page.goto(self._served.url + path)
        self.settled()
        return self.page

    def leave(self) -> None:
        """Show nothing any more, and ask for nothing."""
        self.page.goto("about:blank")

    @contextmanager
    def on_a_phone(self) -> Iterator[None]:
        """Make the window as small as a phone's; what is opened meanwhile leaves with it."""
        with self.sized(390, 844):
            yield

    @contextmanager
    def sized(self, width: int, height: int) -> Iterator[None]:
        """Give the window another size, in pixels; what is opened meanwhile leaves with it."""
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": width, "height": height})
        try:
            yield
        finally:
            self.leave()
            self.page.set_viewport_size(size)

    @contextmanager
    def in_the_dark(self) -> Iterator[None]:
        """Have the window prefer dark colours; what is opened meanwhile leaves with it."""
        self.page.emulate_media(color_scheme="dark")
        try:
            yield
        finally:
            self.leave()
            self.page.emulate_media(color_scheme="light")

    def settled(self) -> None:
        """Wait until the page says how fresh it is."""
        self.page.get_by_text("Read at").first.wait_for()

    def pause(self) -> None:
        """Let the page refresh no more."""
        self.page.get_by_text("Refresh by itself").click()
        self.page.get_by_text("Paused").first.wait_for()
        self.at_rest()

    def at_rest(self) -> None:
        """Wait until nothing is drawn any more."""
        self.page.locator(AT_REST).wait_for()

    def refreshed(self) -> None:
        """Wait for the next refresh."""
        read = self.page.get_by_text("Read at").first
        expect(read).not_to_have_text(read.inner_text())

    def choose(self, label: str, typed: str) -> None:
        """Type into a box of choices, and take the first that fits."""
        self.unfold(label)
        self.page.keyboard.type(typed)
        self.page.get_by_role("option", name=typed).first.click()

    def unfold(self, label: str) -> None:
        """Open a box of choices; its list closes when the page scrolls, so that it is opened only after that."""
        box = self.page.get_by_role("combobox", name=re.compile(label))
        box.evaluate("each => each.scrollIntoView({block: 'center'})")
        self.page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        box.click()
        self.page.get_by_role("option").first.wait_for()

    def colours_of_the_map(self) -> set[tuple[int, ...]]:
        """Return the colours that are seen where the map is, the frame of its controls included."""
        return colours(self.page.get_by_test_id("stDeckGlJsonChart").screenshot())

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size or {"width": 1360, "height": 900}
        self.at_rest()
        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": min(height + 20, 3000)})
        self.at_rest()
        self.page.screenshot(path=SHOTS / f"{name}.png")
        if name in README and "DATAFLOW_PICTURES" in os.environ:
            shutil.copy(SHOTS / f"{name}.png", Path(os.environ["DATAFLOW_PICTURES"]) / README[name])
        self.page.set_viewport_size(size)
