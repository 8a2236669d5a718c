"""The pages of the daily report: every format shows every figure, and none needs anything else."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from application.daily.document import Cell, Chart, DailyReport, Section, decode, encode
from entrypoints.report import FORMATS, write_all

REPORT = DailyReport(
    date(2026, 1, 20),
    4711,
    datetime(2026, 1, 21, 2, 5, tzinfo=UTC),
    "default@1",
    (
        Section(
            "day",
            "The day",
            "Counted <once>.",
            ("", "day", "day before", "change", "week", "change"),
            (
                (
                    Cell("Net | sales"),
                    Cell("1234.005", "money"),
                    Cell(None, "money"),
                    Cell("-0.1234", "change", False),
                    Cell("0.5", "ratio"),
                    Cell("0.021", "points", True),
                ),
                (
                    Cell("Fill rate"),
                    Cell("0.9996", "ratio"),
                    Cell("0.9999", "ratio"),
                    Cell("-0.0003", "points", False),
                    Cell("1", "ratio"),
                    Cell("0", "points", None),
                ),
            ),
        ),
        Section("restated", "Restated", "", ("Day",), ()),
    ),
    (
        Chart("orders", "Orders", "orders", ((date(2026, 1, 19), None), (date(2026, 1, 20), "12"))),
        Chart("on_time_rate", "On-time rate", "ratio", ((date(2026, 1, 19), None), (date(2026, 1, 20), None))),
    ),
    {"net": "1234.005"},
)
SHOWN = ("1,234.01", "–", "-12.3%", "50.0%", "+2.1 pts", "0.0 pts")


def test_a_report_comes_back_as_it_was_kept_in_equal_bytes() -> None:
    assert decode(encode(REPORT)) == REPORT
    assert encode(decode(encode(REPORT))) == encode(REPORT)


@pytest.mark.parametrize("format_", ["md", "html"])
def test_pages_show_figures_in_words(format_: str) -> None:
    page = FORMATS[format_](REPORT)
    assert all(words in page for words in SHOWN)
    assert "None." in page
    assert page == FORMATS[format_](decode(encode(REPORT)))


def test_markdown_tables_have_as_many_cells_as_headings() -> None:
    lines = [line for line in FORMATS["md"](REPORT).splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {7}


def test_csv_has_every_figure_with_all_its_digits() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](REPORT))))
    figures = {(row["section"], row["row"], row["column"]): row["value"] for row in rows}
    assert figures["day", "1", "day"] == "1234.005"
    assert figures["by_day", "2026-01-20", "orders"] == "12"
    assert {row["position"] for row in rows} == {"4711"}


class Page(HTMLParser):
    """Notes what a page loads, and which elements are left open."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [str(value) for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that is closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_whole_and_loads_nothing() -> None:
    text = FORMATS["html"](REPORT)
    page = Page()
    page.feed(text)
    assert page.addresses == []
    assert page.open == []
    assert not re.search(r"url\(|@import|https?://|<script", text)
    assert "Counted &lt;once&gt;." in text
    assert "2026-01-20: 12" in text
    assert "None in these days." in text
    assert text.count('class="figure bad"') == 1
    assert "-0.0" not in text


def test_all_formats_are_written_as_files(tmp_path: Path) -> None:
    files = write_all(REPORT, tmp_path / "new")
    assert [file.name for file in files] == [f"report-2026-01-20.{suffix}" for suffix in ("md", "html", "csv")]
    assert [file.read_text() for file in files] == [page(REPORT) for page in FORMATS.values()]


def test_a_long_table_stays_a_table_and_others_become_blocks_on_a_narrow_screen() -> None:
    row = tuple(Cell(str(number), "units") for number in range(5))
    for rows, kind in ((1, '<table class="many four">'), (40, "<table>")):
        section = Section("stocks", "Stocks", "", ("Product", "a", "b", "c", "d"), ((Cell("A"), *row[1:]),) * rows)
        page = FORMATS["html"](replace(REPORT, sections=(section,)))
        assert kind in page
        assert ('<section id="stocks" class="long">' in page) == (rows == 40)
