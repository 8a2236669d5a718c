"""A mistake in a mapping, or in how it is called, is one clear line; no message was given before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.files.duckdb_file_source import DuckDbFileSource
from application.ports.file_source import MappingError, SourceFileError

GOOD = {
    "product_id": "sku",
    "location_id": "'main'",
    "occurred_at": "DATE '2024-03-01'",
    "counted": "qty",
}


def _mistake(feed: Any) -> str:
    with pytest.raises(MappingError) as caught:
        next(DuckDbFileSource().messages(feed.data, feed.mapping))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _stock(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\n")
    feed.stock()


def _select(feed: Any, **columns: str) -> None:
    chosen = {**GOOD, **columns}
    listed = ", ".join(f"{value} AS {name}" for name, value in chosen.items() if value)
    feed.select("10_CountStock.sql", f"SELECT {listed} FROM stock")


def test_a_folder_without_a_mapping(tmp_path: Path, feed: Any) -> None:
    with pytest.raises(MappingError, match=r"nowhere is not a mapping: it has no mapping\.toml"):
        next(DuckDbFileSource().messages(feed.data, tmp_path / "nowhere"))


def test_a_folder_of_files_that_is_not_there(tmp_path: Path, feed: Any) -> None:
    with pytest.raises(SourceFileError, match=r"nowhere is not a folder"):
        next(DuckDbFileSource().messages(tmp_path / "nowhere", feed.mapping))


def test_a_file_that_is_not_there(feed: Any) -> None:
    feed.stock("stok.csv")
    with pytest.raises(SourceFileError, match=r"no file stok\.csv in .*data \(mapping\.toml: files\.stock\)"):
        feed.messages()


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("name = ", "mapping.toml: not TOML in UTF-8: "),
        ('zone = "UTC"', "mapping.toml: name is missing"),
        ('name = ""\nzone = "UTC"', "mapping.toml: name is empty"),
        ('name = "x"\nzone = 7', "mapping.toml: zone: Expected `str`, got `int`"),
        ('name = "x"\nzone = "Mars/Base"', "mapping.toml: zone 'Mars/Base' is not a time zone; "),
        ('name = "x"\nzone = "../UTC"', "mapping.toml: zone '../UTC' is not a time zone; "),
        (
            'name = "x"\nzone = "UTC"\ncurrency = "euro"',
            "mapping.toml: currency 'euro': A currency must be three upper",
        ),
        (
            'name = "x"\nzone = "UTC"\ncurency = "EUR"',
            "mapping.toml: unknown key curency; did you mean currency?",
        ),
    ],
)
def test_a_wrong_header(feed: Any, top: str, said: str) -> None:
    feed.header('[files.stock]\npath = "stock.csv"', top)
    assert _mistake(feed).startswith(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('delimeter = ";"', "mapping.toml: unknown key files.stock.delimeter; did you mean delimiter?"),
        ('pth = "a.csv"', "mapping.toml: unknown key files.stock.pth; did you mean path?"),
        ("header = 1", "mapping.toml: files.stock.header: Expected `bool`, got `int`"),
        ('delimiter = "::"', "mapping.toml: files.stock: delimiter, quote and escape are one character each"),
        ('encoding = "utf-9"', "mapping.toml: files.stock: encoding 'utf-9' is not known; "),
        ('topic = "order"', "mapping.toml: files.stock: topic 'order' is not known; did you mean orders?"),
        ("header = false", "mapping.toml: files.stock: columns names the columns where header = false"),
        (
            'types = { quantity = "INTEGER" }',
            "mapping.toml: files.stock.types.quantity: stock.csv has no such column; ",
        ),
        ('types = { qty = "INTEGR" }', "mapping.toml: files.stock.types.qty: 'INTEGR' is not a type: "),
    ],
)
def test_a_wrong_file_option(feed: Any, options: str, said: str) -> None:
    feed.stock(options=options)
    assert _mistake(feed).startswith(said)


@pytest.mark.parametrize("path", ["../stock.csv", "/stock.csv", ""])
def test_a_path_outside_the_folder(feed: Any, path: str) -> None:
    feed.stock(path)
    assert _mistake(feed) == f"mapping.toml: files.stock: path '{path}' must be relative to the folder that is read"


def test_a_path_that_tells_no_format(feed: Any) -> None:
    feed.stock("stock.dat")
    assert "path 'stock.dat' does not tell the format" in _mistake(feed)


def test_a_mapping_without_a_select(feed: Any) -> None:
    (feed.mapping / "10_CountStock.sql").unlink()
    assert "mapping has no SELECT; add a file such as 10_PlaceOrder.sql" in _mistake(feed)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("20_CountStok.sql", "20_CountStok.sql: unknown command CountStok; did you mean CountStock?"),
        ("10_CountStock.SQL", "10_CountStock.SQL: name it <number>_<Command>.sql"),
        ("count.sql", "count.sql: name it <number>_<Command>.sql"),
    ],
)
def test_a_select_with_a_wrong_name(feed: Any, name: str, said: str) -> None:
    feed.select(name, "SELECT 1")
    assert _mistake(feed).startswith(said)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", '10_CountStock.sql: Parser Error: syntax error at or near "SELEC"'),
        ("SELECT 1; SELECT 2", "10_CountStock.sql: it must be one SELECT"),
        ("DROP TABLE stock", "10_CountStock.sql: it must be one SELECT"),
        ("-- nothing", "10_CountStock.sql: it must be one SELECT"),
        (
            "SELECT quantity FROM stock",
            '10_CountStock.sql: Binder Error: Referenced column "quantity" not found',
        ),
        (
            "SELECT 'A' AS product_id, 'B' AS product_id",
            "10_CountStock.sql: product_id_1 is not a field of CountStock; did you mean product_id?",
        ),
        ("FROM read_csv('stock.csv')", "10_CountStock.sql: Permission Error: "),
    ],
)
def test_a_wrong_select(feed: Any, sql: str, said: str) -> None:
    feed.select("10_CountStock.sql", sql)
    assert _mistake(feed).startswith(said)


def test_a_column_that_is_no_field(feed: Any) -> None:
    _select(feed, countd="qty")
    assert _mistake(feed) == "10_CountStock.sql: countd is not a field of CountStock; did you mean counted?"


def test_a_column_that_is_like_no_field_names_them_all(feed: Any) -> None:
    _select(feed, xyz="qty")
    assert _mistake(feed).endswith("known are product_id, location_id, occurred_at, counted")


def test_a_field_that_is_missing(feed: Any) -> None:
    _select(feed, counted="")
    assert _mistake(feed) == "10_CountStock.sql: CountStock needs a column counted"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("counted", "'7'", "counted is VARCHAR; cast it to INTEGER"),
        ("counted", "1.5", "counted is DECIMAL(2,1); cast it to INTEGER"),
        ("product_id", "7", "product_id is INTEGER; cast it to VARCHAR"),
        ("occurred_at", "'2024-03-01'", "occurred_at is VARCHAR; cast it to TIMESTAMP"),
        ("_line", "'7'", "_line is VARCHAR; cast it to INTEGER"),
    ],
)
def test_a_column_of_another_type(feed: Any, column: str, value: str, said: str) -> None:
    _select(feed, **{column: value})
    assert _mistake(feed) == f"10_CountStock.sql: {said}"


ORDER = "SELECT '1' AS order_id, DATE '2024-03-01' AS occurred_at, 'C' AS customer_id"
LINE = "line_no: 1, product_id: 'A', quantity: 1"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (f"[{{{LINE}, unit_price: 1.5}}] AS lines", "PlaceOrder needs a column currency"),
        ("'EUR' AS currency", "PlaceOrder needs a column lines"),
        (
            f"'EUR' AS currency, [{{{LINE}, unit_price: 1.5::DOUBLE}}] AS lines",
            "lines.unit_price is DOUBLE; cast it to DECIMAL(18, 4)",
        ),
        (f"'EUR' AS currency, [{{{LINE}}}] AS lines", "OrderedLine needs a column lines.unit_price"),
        (
            f"'EUR' AS currency, [{{{LINE}, price: 1}}] AS lines",
            "lines.price is not a field of OrderedLine; did you mean unit_price?",
        ),
        (
            "'EUR' AS currency, 'A' AS lines",
            "lines is VARCHAR; it takes a list of rows: list({line_no: ..., product_id: ..., quantity: ...,"
            " unit_price: ..., discount: ...})",
        ),
    ],
)
def test_a_wrong_order(feed: Any, columns: str, said: str) -> None:
    feed.select("20_PlaceOrder.sql", f"{ORDER}, {columns}")
    assert _mistake(feed) == f"20_PlaceOrder.sql: {said}"


def test_a_cast_that_fails_while_rows_are_read_names_its_select(feed: Any) -> None:
    _select(feed, counted="sku::INTEGER")
    assert _mistake(feed).startswith("10_CountStock.sql: Conversion Error: Could not convert string 'A' to INT32")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            'formats = { qty = "%d" }',
            "mapping.toml: files.stock: formats.qty needs types.qty to be one of DATE, TIMESTAMP",
        ),
        (
            'types = { qty = "DATE" }\nformats = { qty = "%Q" }',
            "mapping.toml: files.stock.formats.qty: ",
        ),
    ],
)
def test_a_format_that_does_not_fit(feed: Any, options: str, said: str) -> None:
    feed.stock(options=options)
    assert _mistake(feed).startswith(said)
