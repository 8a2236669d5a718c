"""A value that doesn't fit its declared type costs its row, with file, line and column; nothing is bent."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("INTEGER", "1.5"),
        ("INTEGER", "1e2"),
        ("TINYINT", "300"),
        ("DECIMAL(6, 2)", "12345.00"),
        ("DATE", "1996-13-01"),
        ("DATE", "1996-07-04 12:30:00"),
        ("TIMESTAMP", "2024-01-01T10:00:00+02:00"),
        ("TIMESTAMP", "2024-01-01 10:00:00Z"),
        ("BOOLEAN", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_is_rejected(feed: Any, declared: str, value: str) -> None:
    feed.file("stock.csv", f"sku,qty,extra\nA,1,\nB,2,{value}\n")
    feed.stock(options=f'types = {{ qty = "INTEGER", extra = "{declared}" }}')
    assert feed.counted() == [("A", 1, 2)]
    (row,) = feed.rejected()
    assert row["detail"].startswith(f"stock.csv line 3: extra is '{value}', not ")
    assert (row["column"], row["text"]) == ("extra", f"B,2,{value}")


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("INTEGER", "12.0"),
        ("INTEGER", " 12 "),
        ("DECIMAL(18, 2)", "9.80000019"),
        ("DATE", "1996-07-04 00:00:00.000"),
        ("TIMESTAMP", "1996-07-04 00:00:00.000"),
        ("TIMESTAMPTZ", "2024-01-01T10:00:00+02:00"),
        ("TIMESTAMPTZ", "2024-01-01 10:00:00"),
    ],
)
def test_a_value_that_fits_is_taken(feed: Any, declared: str, value: str) -> None:
    feed.file("stock.csv", f"sku,qty,extra\nA,1,{value}\n")
    feed.stock(options=f'types = {{ qty = "INTEGER", extra = "{declared}" }}')
    feed.select("10_CountStock.sql", _WITH_EXTRA)
    assert feed.counted() == [("A", 1, 2)]


_WITH_EXTRA = """\
SELECT sku AS product_id, 'main' AS location_id, DATE '2024-03-01' AS occurred_at, qty AS counted, _line
FROM stock WHERE extra IS NOT NULL
"""


def test_a_row_with_two_wrong_values_is_rejected_once(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty,day\nA,x,y\n")
    feed.stock(options='types = { qty = "INTEGER", day = "DATE" }')
    assert [row["column"] for row in feed.rejected()] == ["qty"]


def test_empty_fields_and_declared_texts_are_null(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty,note\nA,1,\nB,2,NULL\nC,3,n/a\nD,4,null\n")
    feed.stock(options='nullstr = ["NULL", "n/a"]\ntypes = { qty = "INTEGER" }')
    feed.select("10_CountStock.sql", _WITH_EXTRA.replace("extra IS NOT NULL", "note IS NULL"))
    assert [product for product, *_ in feed.counted()] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("1/31/15 0:05", "2015-01-31T00:05:00Z"), ("1/31/2015 13:05", "2015-01-31T13:05:00Z")],
)
def test_times_are_read_by_the_first_format_that_fits(feed: Any, written: str, read: str) -> None:
    feed.file("stock.csv", f"sku,qty,seen\nA,1,{written}\n")
    feed.header(
        '[files.stock]\npath = "stock.csv"\ntypes = { qty = "INTEGER", seen = "TIMESTAMP" }\n'
        'formats = { seen = ["%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"] }',
        top='name = "feed"\nzone = "UTC"',
    )
    feed.select(
        "10_CountStock.sql",
        "SELECT sku AS product_id, 'main' AS location_id, seen AS occurred_at, qty AS counted FROM stock",
    )
    assert [command["occurred_at"] for command in feed.commands()] == [read]


@pytest.mark.parametrize(
    ("declared", "value"),
    [("TIMESTAMP", "31/1/15 0:05"), ("TIMESTAMP", "2015-01-31 00:05"), ("DATE", "1/31/15 0:05")],
)
def test_a_time_of_no_declared_format_is_rejected(feed: Any, declared: str, value: str) -> None:
    feed.file("stock.csv", f"sku,qty,at\nA,1,\nB,2,{value}\n")
    feed.stock(options=f'types = {{ qty = "INTEGER", at = "{declared}" }}\nformats = {{ at = "%m/%d/%y %H:%M" }}')
    assert feed.counted() == [("A", 1, 2)]
    (row,) = feed.rejected()
    assert row["detail"] == f"stock.csv line 3: at is '{value}', not {declared} as in ['%m/%d/%y %H:%M']"


def test_a_date_may_be_written_with_a_midnight(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty,at\nA,1,1/31/15 0:00\n")
    feed.stock(options='types = { qty = "INTEGER", at = "DATE" }\nformats = { at = "%m/%d/%y %H:%M" }')
    assert feed.counted() == [("A", 1, 2)]
