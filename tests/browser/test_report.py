"""The daily report in a real browser: nothing is cut off on a phone or on paper, and nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Browser, Page

from application.daily.document import Cell, DailyReport, Section, figure, text
from entrypoints.report import FORMATS

PHONE, PAPER = 390, 687
"""Pixels of a phone, and of A4 between its margins."""
SHARES = (figure("0.7983", "ratio"), figure("0.90", "ratio"), Cell("-0.1017", "points", False))
MONEY = (figure("11142187.60", "money"), figure("11128565.54", "money"), figure("11128796.50", "money"))
COUNTS = tuple(figure(number, "units") for number in (10, 4, 12, 30))
CARRIERS = ("Carrier", "Shipments delivered", "Shipments delivered late", "Deliveries on time", "Delay, 95 %")
BESIDE = ("", "4 weeks", "4 weeks before", "change")
PLACE = "Johannesburg distribution centre (JNB-1)"
DAY = date(2026, 2, 27)
REPORT = DailyReport(
    DAY,
    40_822,
    datetime(2026, 2, 28, 2, 5, tzinfo=UTC),
    "default@1",
    (
        Section("service", "On time", "", (*BESIDE, *BESIDE[1:]), ((text("On-time rate"), *SHARES, *SHARES),)),
        Section("carriers", "Late carriers", "", CARRIERS, ((text("Continental Road"), *COUNTS),)),
        Section("stock", "Stock", "", ("", "day", "day before", "week before"), ((text("Stock value"), *MONEY),)),
        Section(
            "reorder",
            "Reorder list",
            "",
            ("Product", "Location", "On hand", "Available", "Reorder point", "To order"),
            tuple((text(f"Heavy-Duty Roof Box (PRD-{number:03})"), text(PLACE), *COUNTS) for number in range(40)),
        ),
    ),
    (),
    {},
)
CUT = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).map(box => box.innerText.slice(0, 80))"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.route("**/*", lambda route: pytest.fail(f"it asks for {route.request.url}"))
    opened.set_content(FORMATS["html"](REPORT))
    yield opened
    opened.close()


@pytest.mark.parametrize(("width", "medium"), [(1280, "screen"), (PHONE, "screen"), (PAPER, "print")])
def test_nothing_is_cut_off(page: Page, width: int, medium: str) -> None:
    page.emulate_media(media=medium)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".wide").evaluate_all(CUT) == []


def test_on_a_phone_a_row_of_many_figures_is_a_block_and_a_long_list_stays_a_table(page: Page) -> None:
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": PHONE, "height": 900})
    shown = "element => getComputedStyle(element).display"
    assert page.locator("#carriers tbody tr").evaluate(shown) == "grid"
    assert page.locator("#reorder tbody tr").first.evaluate(shown) == "table-row"
    assert page.locator("#reorder thead").is_visible()
