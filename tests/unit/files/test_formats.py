"""CSV and JSON, plain or gzipped, in any encoding, and Parquet: the same rows, the same messages."""

from __future__ import annotations

import gzip
from typing import Any

import duckdb
import pytest

from application.ports.file_source import SourceFileError

ROWS = [("Käse", 1, 2), ("B", 2, 3)]


def test_csv_may_be_gzipped(feed: Any) -> None:
    feed.file("stock.csv.gz", gzip.compress("sku,qty\nKäse,1\nB,2\n".encode()))
    feed.stock("stock.csv.gz")
    assert feed.counted() == ROWS


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig"])
def test_csv_may_be_in_other_encodings(feed: Any, encoding: str) -> None:
    feed.file("stock.csv", "sku,qty\nKäse,1\nB,2\n".encode(encoding))
    feed.stock(options=f'encoding = "{encoding.removesuffix("-sig")}"\ntypes = {{ qty = "INTEGER" }}')
    assert feed.counted() == ROWS


def test_bytes_of_another_encoding_cost_their_row(feed: Any) -> None:
    feed.file("stock.csv", b"sku,qty\nK\xe4se,1\nB,2\n")
    feed.stock()
    assert feed.counted() == [("B", 2, 3)]
    (row,) = feed.rejected()
    assert row["detail"] == "stock.csv line 2: holds bytes that are not of the file's encoding"
    assert row["text"] == "K\\xe4se,1"


def test_a_tsv_file_has_tabs(feed: Any) -> None:
    feed.file("stock.tsv", "sku\tqty\nKäse\t1\nB\t2\n")
    feed.stock("stock.tsv")
    assert feed.counted() == ROWS


def test_ndjson_rows_that_are_no_objects_or_do_not_fit_are_rejected(feed: Any) -> None:
    feed.file(
        "stock.ndjson",
        '{"sku":"A","qty":1}\n\n{"sku":"B","qty":"2"}\n{"sku":\n[1]\n{"sku":"E","qty":"few"}\n{"qty":7,"sku":"F"}',
    )
    feed.stock("stock.ndjson")
    assert feed.counted() == [("A", 1, 1), ("B", 2, 3), ("F", 7, 7)]
    assert [(row["text"], row["column"]) for row in feed.rejected()] == [
        ('{"sku":', None),
        ("[1]", None),
        ('{"sku":"E","qty":"few"}', "qty"),
    ]
    assert "line 4: not JSON" in feed.rejected()[0]["detail"]
    assert "line 5: not a JSON object" in feed.rejected()[1]["detail"]


def test_a_json_array_has_the_lines_of_its_elements(feed: Any) -> None:
    feed.file(
        "stock.json",
        '[\n  {"sku": "A",\n   "qty": 1},\n  {"sku": "A", "qty": 1}, {"sku": "B", "qty": "x"}\n]',
    )
    feed.stock("stock.json")
    assert feed.counted() == [("A", 1, 2), ("A", 1, 4)]
    assert feed.rejected()[0]["detail"] == "stock.json line 4: qty is 'x', not INTEGER"


def test_a_json_file_may_have_an_object_a_line(feed: Any) -> None:
    feed.file("stock.json.gz", gzip.compress(b'\n{"sku":"A","qty":1}\n{"sku":"B","qty":2}\n'))
    feed.stock("stock.json.gz")
    assert feed.counted() == [("A", 1, 2), ("B", 2, 3)]


def test_numbers_in_json_keep_all_their_digits(feed: Any) -> None:
    feed.file("prices.ndjson", '{"sku":"A","price":12345678901.123456}')
    feed.header('[files.prices]\npath = "prices.ndjson"\ntypes = { price = "DECIMAL(24, 6)" }')
    feed.select(
        "10_RegisterProduct.sql",
        "SELECT sku AS product_id, sku AS name, DATE '2024-01-01' AS occurred_at, price AS unit_price FROM prices",
    )
    assert feed.commands()[0]["unit_price"] == "12345678901.123456"


def test_nested_json_becomes_rows_within_a_row(feed: Any) -> None:
    feed.file("orders.json", '[{"id": "7", "lines": [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 3}]}]')
    feed.header('[files.orders]\npath = "orders.json"\ntypes = { lines = "STRUCT(sku VARCHAR, qty INTEGER)[]" }')
    feed.select(
        "10_ReturnOrderLines.sql",
        "SELECT id AS order_id, DATE '2024-01-01' AS occurred_at, 'torn' AS reason,"
        " [{line_no: i, quantity: line.qty} FOR line, i IN lines] AS lines FROM orders",
    )
    assert feed.commands()[0]["lines"] == [{"line_no": 1, "quantity": 2}, {"line_no": 2, "quantity": 3}]


def test_parquet_keeps_its_types_and_numbers_its_rows(feed: Any) -> None:
    duckdb.execute(f"COPY (FROM (VALUES ('A', 1), ('B', 2)) AS t(sku, qty)) TO '{feed.data}/stock.parquet'")
    feed.stock("*.parquet", options="")
    assert feed.counted() == [("A", 1, 1), ("B", 2, 2)]
    assert feed.events()[0].originfile == "stock.parquet"


def test_parquet_values_that_do_not_fit_are_rejected(feed: Any) -> None:
    duckdb.execute(f"COPY (FROM (VALUES ('A', 1.5), ('B', 2)) AS t(sku, qty)) TO '{feed.data}/stock.parquet'")
    feed.stock("stock.parquet")
    assert feed.counted() == [("B", 2, 2)]
    assert feed.rejected()[0]["detail"] == "stock.parquet line 1: qty is '1.5', not INTEGER"
    assert feed.rejected()[0]["text"] == '{"sku":"A","qty":1.5}'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("stock.csv", b"", "stock.csv: is empty"),
        ("stock.csv", b"sku,qty,SKU\n", "stock.csv: its header names the column SKU twice"),
        ("stock.csv", b"_line,qty\n1,2\n", "stock.csv: has a column _line"),
        ("stock.csv.gz", b"no gzip", "stock.csv.gz: can't be read"),
        ("stock.json", b"[{]", "stock.json: not a JSON array"),
        ("stock.parquet", b"no parquet", "stock.parquet: Invalid Input Error"),
    ],
)
def test_a_file_that_can_not_be_read_is_named(feed: Any, name: str, content: bytes, said: str) -> None:
    feed.file(name, content)
    feed.stock(name)
    with pytest.raises(SourceFileError, match=said):
        feed.messages()
