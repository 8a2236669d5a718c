"""The dashboard in a real browser, on the embedded default, while data comes in."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from urllib.parse import quote

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from application.ports.inbox import QuarantineStatus
from dashboard.export import slug
from domain.shared.measures import round_money
from tests.acceptance.home import until
from tests.browser.served import PATIENCE_MS, Served, Viewer, colours, order

expect.set_options(timeout=PATIENCE_MS)
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
LAND = (232, 235, 238)
"""The colour of the land by day."""
BAR = (47, 111, 143)
"""The colour of a bar by day."""
WORDS_HEIGHT = 16
"""The height of a line of the words behind a bar."""
# A chart whose scale changes is drawn anew, and its own toolbar with it.
HANDLES = "[data-testid=stMain] :is(a, input, button:not([kind=elementToolbar]))"
MARK = f"() => (window.marked = [...document.querySelectorAll('{HANDLES}')]).length"
GONE = "() => window.marked.filter(each => !each.isConnected).map(each => each.ariaLabel ?? each.outerHTML)"
ROOM = """each => {
    const clips = box => getComputedStyle(box).overflowX !== 'visible';
    let around = each.parentElement;
    while (!clips(around)) around = around.parentElement;
    return around.clientWidth - around.scrollWidth;
}"""
"""How much wider than its contents what cuts something off is."""
SERIOUS = {"serious", "critical"}


def tile(page: Page, title: str) -> str:
    """Return the figure of a tile."""
    box = page.locator("[data-testid=stVerticalBlock]", has=page.get_by_text(title, exact=True))
    return box.last.locator("[data-testid=stMetricValue]").inner_text()


def thickness(picture: bytes, colour: tuple[int, ...]) -> int:
    """Return in how many rows of a picture a colour is seen."""
    opened = Image.open(BytesIO(picture)).convert("RGB")
    return sum(any(opened.getpixel((x, y)) == colour for x in range(opened.width)) for y in range(opened.height))


def link(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name.capitalize()).click()


def is_drawn(colours: set[tuple[int, ...]]) -> bool:
    """Tell whether there is land, and a late shipment's red over it."""
    return LAND in colours and any(red > 170 and max(green, blue) < 130 for red, green, blue in colours)


def serious(page: Page, name: str) -> list[str]:
    """Return the serious faults that axe-core finds on a page: the rule, and what breaks it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{name} {each['id']} {node['html'][:150]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def test_every_page_can_be_reached_shows_its_figures_and_is_accessible(viewer: Viewer) -> None:
    page = viewer.open("/?period=All")
    faults: list[str] = []
    for name, shown in PAGES.items():
        link(page, name)
        page.get_by_role("heading", name=name.capitalize(), exact=True).wait_for()
        page.get_by_text(re.compile(shown)).first.wait_for()
        assert page.get_by_test_id("stMain").inner_text().lstrip().startswith(name.capitalize())
        if name == "shipments":
            until(lambda: is_drawn(viewer.colours_of_the_map()), "the map is not drawn", seconds=30)
        viewer.shot(name)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        faults += serious(page, name)
    assert not faults, "\n".join(faults)


def test_figures_are_those_of_the_command_line(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/?period=All")
    figures = served.figure("orders", "net", "fill_rate")
    assert tile(page, "Orders") == f"{figures['orders']:,}"
    assert tile(page, "Net sales EUR") == f"{round_money(Decimal(figures['net'])):,}"
    assert tile(page, "Fill rate") == f"{Decimal(figures['fill_rate']) * 100:.1f}%"


def test_a_tile_shows_how_its_figure_went(viewer: Viewer) -> None:
    page = viewer.open("/?period=All")
    line = page.get_by_alt_text("Orders over time")
    line.wait_for()
    until(lambda: BAR in colours(line.screenshot()), "the line is not drawn", seconds=30)


def test_days_on_an_axis_have_a_year(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/?period=All")
    days = [row["key"] for row in served.home.json("kpi", "orders", "--by", "day")["rows"]]
    expect(page.locator("svg.marks").first).to_contain_text(days[0][:4])


def test_a_bar_alone_has_room_for_its_words(viewer: Viewer, served: Served) -> None:
    spend = served.home.json("kpi", "spend", "--by", "supplier")["rows"]
    supplier = next(row["label"] for row in spend if Decimal(row["figures"]["spend"] or 0) > 0)
    page = viewer.open(f"/suppliers?period=All&supplier={quote(supplier)}")
    chart = page.locator("svg.marks").last
    until(lambda: BAR in colours(chart.screenshot()), "the bar is not drawn", seconds=30)
    assert thickness(chart.screenshot(), BAR) >= WORDS_HEIGHT


def test_filters_are_in_the_address_and_stay_from_page_to_page(
    viewer: Viewer, browser: Browser, served: Served
) -> None:
    page = viewer.open("/?period=All")
    viewer.pause()
    before = tile(page, "Orders")
    page.get_by_role("combobox", name=re.compile("Carrier")).click()
    page.get_by_role("option").nth(1).click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("carrier="))
    expect(page.locator("[data-testid=stMetricValue]").first).not_to_have_text(before)
    filtered, address = tile(page, "Orders"), page.url
    link(page, "orders")
    page.get_by_role("heading", name="Orders", exact=True).wait_for()
    expect(page).to_have_url(re.compile("orders.*carrier="))
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(filtered)
    page.go_back()
    page.get_by_role("heading", name="Overview", exact=True).wait_for()
    with closing(browser.new_context()) as other:
        colleague = Viewer(other, served).open(address.removeprefix(served.url))
        assert tile(colleague, "Orders") == filtered


def test_days_of_any_year_of_the_calendar_can_be_chosen(viewer: Viewer) -> None:
    page = viewer.open("/?period=Own days")
    parts = page.get_by_test_id("stDateInput").get_by_role("spinbutton")
    for place, typed in enumerate(("1997", "01", "01", "1997", "03", "31")):
        parts.nth(place).click()
        page.keyboard.type(typed)
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Overview", exact=True).click()
    expect(page).to_have_url(re.compile("days=1997-01-01.*1997-03-31"))
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text("0")
    page.get_by_text("No data in the chosen days. There are data from").wait_for()
    assert not serious(page, "days without data")


@pytest.mark.parametrize("width", [1200, 1440, 1920])
def test_both_days_of_a_period_can_be_read(viewer: Viewer, width: int) -> None:
    with viewer.sized(width, 900):
        page = viewer.open("/?period=Own days&days=1997-01-01&days=1997-12-31")
        last = page.get_by_test_id("stDateInput").get_by_role("spinbutton").last
        expect(last).to_have_text("31")
        assert last.evaluate(ROOM) >= 0


def test_a_new_order_appears_by_itself_and_the_scroll_stays(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/orders?period=All")
    before = int(tile(page, "Orders"))
    main = page.get_by_test_id("stMain")
    page.get_by_text("One order's history").wait_for()
    main.evaluate("element => element.scrollTo(0, 300)")
    served.take_in(order("fresh-1"))
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(f"{before + 1}")
    assert main.evaluate("element => element.scrollTop") == 300
    assert "period=All" in page.url


def test_a_paused_page_stays_as_it_is(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/orders?period=All")
    viewer.pause()
    before, read = tile(page, "Orders"), page.get_by_text("Read at").inner_text()
    served.take_in(order("fresh-2"))
    page.wait_for_timeout(2_500)
    assert (tile(page, "Orders"), page.get_by_text("Read at").inner_text()) == (before, read)


def test_a_figure_leads_to_its_rows_its_events_and_the_message(viewer: Viewer, served: Served) -> None:
    served.take_in(order("traced-1"))
    page = viewer.open("/?period=All")
    viewer.pause()
    page.get_by_role("link", name=re.compile("Explain")).nth(1).click()
    page.get_by_text("Rows behind it (order)").wait_for()
    assert "period=All" in page.url
    viewer.choose("One stream's history", "order-traced-1")
    page.get_by_text("State at version 1").wait_for()
    page.get_by_role("link", name="The message behind it").click()
    page.get_by_text("The message as received").wait_for()
    expect(page.get_by_test_id("stCode").last).to_contain_text('"place traced-1"')
    viewer.shot("explain-message")


def test_a_kept_build_shows_what_was_known_with_a_banner(viewer: Viewer, served: Served) -> None:
    known = int(served.figure("orders")["orders"])
    head = served.container.event_store().head()
    served.container.builds().make("before", head, lambda *_: None)
    served.take_in(order("late-1"))
    page = viewer.open("/?period=All&as_of=before")
    page.get_by_text("This is not live").wait_for()
    assert tile(page, "Orders") == f"{known}"
    page = viewer.open("/?period=All")
    expect(page.get_by_text("This is not live")).to_have_count(0)
    assert tile(page, "Orders") == f"{known + 1}"


def exported(page: Page, title: str) -> tuple[str, list[dict[str, str]]]:
    """Take what a table or chart gives as CSV; return the file's name and its rows."""
    with page.expect_download() as started:
        page.locator(f".st-key-csv-{slug(title)}-csv").get_by_role("button").click()
    with started.value.path().open(newline="", encoding="utf-8") as file:
        return started.value.suggested_filename, list(csv.DictReader(file))


def test_tables_and_charts_are_exported_with_their_figures(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/inventory?period=All")
    page.get_by_text("Stock by location").wait_for()
    name, rows = exported(page, "Stock by location")
    figures = served.figure("stock_units", "stock_value", "orders")
    assert name == "stock-by-location.csv"
    assert sum(int(row["Stock on hand"]) for row in rows) == figures["stock_units"]
    assert sum(Decimal(row["Stock value EUR"]) for row in rows) == Decimal(figures["stock_value"])
    page = viewer.open("/?period=All")
    page.get_by_text("Orders by status").wait_for()
    _, rows = exported(page, "Orders by status")
    assert sum(int(row["Figure"].replace(",", "")) for row in rows) == figures["orders"]


def test_a_chart_is_exported_as_the_picture_that_it_is(viewer: Viewer) -> None:
    page = viewer.open("/?period=All")
    button = page.get_by_role("button", name=re.compile("Download as PNG: Orders by week"))
    frame = page.get_by_test_id("stFullScreenFrame").filter(has=button)
    drawn = frame.locator("svg.marks")
    drawn.hover()
    with page.expect_download() as started:
        button.click()
    picture, shown = Image.open(started.value.path()), drawn.bounding_box()
    assert picture.format == "PNG"
    assert shown is not None
    # Twice as fine as it is shown.
    assert picture.size == (round(2 * shown["width"]), round(2 * shown["height"]))
    colours = {colour[:3]: count for count, colour in picture.convert("RGBA").getcolors(picture.width * picture.height)}
    assert colours[BAR] > picture.width * picture.height / 10


def test_a_refresh_takes_nothing_away_from_under_the_hand(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/orders?period=All")
    viewer.unfold("One order's history")
    marked = page.evaluate(MARK)
    served.take_in(order("fresh-3"))
    for _ in range(2):
        viewer.refreshed()
    assert marked > 15
    assert page.evaluate(GONE) == []
    page.keyboard.type("fresh-3")
    page.get_by_role("option", name="order-fresh-3", exact=True).click()
    page.get_by_text("History of order-fresh-3").wait_for()


def test_a_quarantined_message_is_retried_and_its_order_appears(viewer: Viewer, served: Served) -> None:
    # To a clock two days behind, this order is from the future; to the dashboard's it is not.
    served.take_in(order("ahead-1"), clock=datetime.now(UTC) - timedelta(days=2))
    inbox = served.container.inbox()
    number = max(message.quarantine_id for message in inbox.quarantine(status=QuarantineStatus.OPEN))
    page = viewer.open("/pipeline")
    viewer.choose("One message", f"{number} ")
    expect(page.get_by_test_id("stCode").last).to_contain_text("ahead-1")
    viewer.shot("pipeline-message")
    page.get_by_role("button", name="Retry").click()
    page.get_by_text(f"Message {number} is applied.").wait_for()
    (settled,) = inbox.quarantine([number])
    assert settled.status is QuarantineStatus.RETRIED
    served.take_in()
    page = viewer.open("/orders?period=All&order=order-ahead-1")
    page.get_by_text("History of order-ahead-1").wait_for()


@contextmanager
def unreachable(served: Served) -> Iterator[None]:
    """Let nobody connect to the database of the figures, and end the connections that are there."""
    with psycopg.connect(served.home.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE dataflow ALLOW_CONNECTIONS false")
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'dataflow'")
            yield
        finally:
            connection.execute("ALTER DATABASE dataflow ALLOW_CONNECTIONS true")


def test_while_the_database_is_away_the_last_figures_are_shown_with_their_age(viewer: Viewer, served: Served) -> None:
    page = viewer.open("/?period=All")
    before = tile(page, "Orders")
    with unreachable(served):
        page.get_by_text(re.compile("these are the figures of")).wait_for()
        assert tile(page, "Orders") == before
        viewer.shot("away")
    expect(page.get_by_text(re.compile("these are the figures of"))).to_have_count(0)
    assert tile(page, "Orders") == before


@pytest.mark.parametrize("name", ["overview", "shipments"])
def test_on_a_phone_nothing_is_cut_off(viewer: Viewer, name: str) -> None:
    with viewer.on_a_phone():
        page = viewer.open(f"/{'' if name == 'overview' else name}?period=All")
        page.get_by_text(re.compile(PAGES[name])).first.wait_for()
        assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
        expect(page.get_by_test_id("stSidebarNav")).not_to_be_in_viewport()
        viewer.shot(f"phone-{name}")


def test_in_the_dark_it_is_dark_and_can_be_read(viewer: Viewer) -> None:
    with viewer.in_the_dark():
        page = viewer.open("/shipments?period=All")
        page.get_by_text("Carriers", exact=True).wait_for()
        colour = page.get_by_test_id("stApp").evaluate("element => getComputedStyle(element).backgroundColor")
        assert max(int(part) for part in re.findall(r"\d+", colour)[:3]) < 64
        viewer.shot("dark-shipments")
        assert not serious(page, "shipments")
