"""Every row of a CSV file, good or broken, is known by the physical line that it starts on."""

from __future__ import annotations

from typing import Any

import pytest


def test_lines_count_the_header_line_breaks_in_values_blank_lines_and_broken_rows(feed: Any) -> None:
    feed.file(
        "stock.csv",
        'sku,qty,note\nA,1,"two\nlines"\n\nB,2,x\nC,3,too,many\nD,4,"three\n\nlines"\nE,few,x\nF,6,x\n',
    )
    feed.stock()
    assert feed.counted() == [("A", 1, 2), ("B", 2, 5), ("D", 4, 7), ("F", 6, 11)]
    assert feed.rejected() == [
        {
            "code": "RowRejected",
            "detail": "stock.csv line 6: expected 3 fields, found 4",
            "text": "C,3,too,many",
            "column": None,
        },
        {
            "code": "RowRejected",
            "detail": "stock.csv line 10: qty is 'few', not INTEGER",
            "text": "E,few,x",
            "column": "qty",
        },
    ]


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends_count_alike(feed: Any, line_end: str) -> None:
    feed.file("stock.csv", 'sku,qty\n"A\nB",1\nC,2,3\nD,4\n'.replace("\n", line_end))
    feed.stock(options='types = { qty = "INTEGER" }')
    assert [(units, line) for _, units, line in feed.counted()] == [(1, 2), (4, 5)]
    assert [row["text"] for row in feed.rejected()] == ["C,2,3"]


def test_an_open_quote_costs_its_own_line_only(feed: Any) -> None:
    feed.file("stock.csv", 'sku,qty\nA,1\n"B,2\nC,3\nD,4\n')
    feed.stock()
    assert feed.counted() == [("A", 1, 2), ("C", 3, 4), ("D", 4, 5)]
    assert [(row["text"], row["detail"]) for row in feed.rejected()] == [
        ('"B,2', "stock.csv line 3: unexpected end of data")
    ]


def test_text_after_a_closing_quote_is_rejected(feed: Any) -> None:
    feed.file("stock.csv", 'sku,qty\n"A"x,1\nB,2\n')
    feed.stock()
    assert feed.counted() == [("B", 2, 3)]
    assert [row["text"] for row in feed.rejected()] == ['"A"x,1']


def test_a_quote_inside_an_unquoted_field_is_text(feed: Any) -> None:
    feed.file("stock.csv", 'sku,qty\n5" pipe,1\nB,2\n')
    feed.stock()
    assert feed.counted() == [('5" pipe', 1, 2), ("B", 2, 3)]


def test_delimiter_quote_and_escape_are_as_declared(feed: Any) -> None:
    feed.file("stock.csv", "sku;qty\n'A;1\\'s';1\n")
    feed.stock(options='delimiter = ";"\nquote = "\'"\nescape = "\\\\"\ntypes = { qty = "INTEGER" }')
    assert feed.counted() == [("A;1's", 1, 2)]


def test_without_a_header_the_mapping_names_the_columns(feed: Any) -> None:
    feed.file("stock.csv", "A,1\nB,2\n")
    feed.stock(options='header = false\ncolumns = ["sku", "qty"]\ntypes = { qty = "INTEGER" }')
    assert feed.counted() == [("A", 1, 1), ("B", 2, 2)]


def test_a_file_with_a_header_only_gives_nothing(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\n")
    feed.stock()
    assert feed.messages() == []


def test_files_of_one_table_may_order_their_columns_as_they_like(feed: Any) -> None:
    feed.file("a/stock.csv", "sku,qty\nA,1\n")
    feed.file("b/stock.csv", "note,qty,sku\nx,2,B\n")
    feed.stock("*/stock.csv")
    assert feed.counted() == [("A", 1, 2), ("B", 2, 2)]
    assert [event.origin for event in feed.events()] == ["a/stock.csv:2", "b/stock.csv:2"]
