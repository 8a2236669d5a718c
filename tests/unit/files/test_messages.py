"""What a mapping's rows become: commands in order, with stable ids and zoned times, or rejected rows."""

from __future__ import annotations

from typing import Any

import pytest

from application.ingest.messages import REJECTED_TYPE, InvalidMessageError, decode_command

COUNT = "SELECT sku AS product_id, 'main' AS location_id, {at} AS occurred_at, qty AS counted{more} FROM stock"


def _count(feed: Any, at: str = "DATE '2024-03-01'", more: str = "") -> None:
    feed.stock()
    feed.select("10_CountStock.sql", COUNT.format(at=at, more=more))


def test_a_command_travels_on_its_topic_under_its_stream(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\n")
    _count(feed, more=", _file, _line, 'c-' || sku AS _correlation")
    (message,) = feed.messages()
    (event,) = feed.events()
    assert (message.topic, message.key) == ("inventory", "inventory-A@main")
    assert (event.type, event.source, event.subject) == (
        "dataflow.CountStock.v1",
        "files/feed",
        "inventory-A@main",
    )
    assert (event.origin, event.correlationid) == ("stock.csv:2", "c-A")
    assert decode_command(event)[1].counted == 1


def test_the_same_files_give_the_same_ids(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\nB,2,3\nC,3\n")
    _count(feed)
    assert feed.messages() == feed.messages()


def test_a_row_keeps_its_id_when_the_file_grows_before_it(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\n")
    _count(feed, more=", _file, _line")
    (before,) = feed.events()
    feed.file("stock.csv", "sku,qty\nB,2\nA,1\n")
    assert before.id == feed.events()[1].id


def test_equal_rows_stay_messages_of_their_own(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\nA,1\nA,2\nB,1,x\nB,1,x\n")
    _count(feed)
    ids = [event.id for event in feed.events()]
    assert len(set(ids)) == 5
    first, second = ids[2:4]
    assert (first[-2:], second[-2:]) == ("-1", "-2")
    assert first[:-2] == second[:-2]


def test_a_mapping_may_give_ids_of_its_own(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\n,2\n")
    _count(feed, more=", sku AS _id")
    feed.select("10_CountStock.sql", COUNT.format(at="DATE '2024-03-01'", more=", sku AS _id, _file, _line"))
    assert [event.id for event in feed.events() if event.type != REJECTED_TYPE] == ["A"]
    assert feed.rejected()[0]["detail"] == "stock.csv line 3: 10_CountStock.sql: _id is null"


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("DATE '2024-03-01'", "2024-03-01T00:00:00+01:00"),
        ("TIMESTAMP '2024-07-01 12:30:00'", "2024-07-01T12:30:00+02:00"),
        ("TIMESTAMPTZ '2024-07-01 12:30:00'", "2024-07-01T10:30:00Z"),
        ("TIMESTAMPTZ '2024-07-01 12:30:00.25-05:00'", "2024-07-01T17:30:00.250000Z"),
    ],
)
def test_times_without_an_offset_are_of_the_mappings_zone(feed: Any, at: str, sent: str) -> None:
    feed.file("stock.csv", "sku,qty\nA,1\n")
    _count(feed, at)
    assert feed.commands()[0]["occurred_at"] == sent


def test_the_mappings_currency_stands_where_the_select_gives_none(feed: Any) -> None:
    feed.file("products.csv", "sku\nA\n")
    feed.header('[files.products]\npath = "products.csv"', 'name = "feed"\nzone = "UTC"\ncurrency = "EUR"')
    columns = "SELECT sku AS product_id, sku AS name, DATE '2024-01-01' AS occurred_at"
    feed.select("10_RegisterProduct.sql", f"{columns} FROM products")
    feed.select("20_ReviseProduct.sql", f"{columns}, 'USD' AS currency FROM products")
    assert [command["currency"] for command in feed.commands()] == ["EUR", "USD"]


def test_messages_come_in_the_order_of_the_selects_and_of_their_rows(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nB,1\nA,2\nbroken\n")
    _count(feed, more=" , _file, _line")
    feed.select(
        "05_SetReorderPoint_all.sql",
        COUNT.format(at="DATE '2024-03-01'", more="").replace("counted", "reorder_point"),
    )
    assert [(event.type.split(".")[1], event.subject) for event in feed.events()] == [
        ("RejectedRow", None),
        ("SetReorderPoint", "inventory-B@main"),
        ("SetReorderPoint", "inventory-A@main"),
        ("CountStock", "inventory-B@main"),
        ("CountStock", "inventory-A@main"),
    ]


def test_a_null_in_a_required_field_is_a_rejected_row(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,\nB,2\n")
    _count(feed, more=", _file, _line")
    rejected, applied = feed.events()
    assert applied.subject == "inventory-B@main"
    assert rejected.origin == "stock.csv:2"
    with pytest.raises(InvalidMessageError, match=r"stock\.csv line 2: 10_CountStock\.sql: counted is null"):
        decode_command(rejected)
    assert feed.rejected()[0]["column"] == "counted"
    assert '"product_id":"A"' in feed.rejected()[0]["text"]


def test_a_null_within_a_line_names_its_place(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,\n")
    feed.header('[files.stock]\npath = "stock.csv"\ntypes = { qty = "INTEGER" }')
    feed.select(
        "10_ReturnOrderLines.sql",
        "SELECT sku AS order_id, DATE '2024-01-01' AS occurred_at, 'torn' AS reason,"
        " [{line_no: 1, quantity: qty}] AS lines FROM stock",
    )
    assert [row["column"] for row in feed.rejected()] == ["lines[0].quantity"]


def test_rejected_rows_travel_with_the_first_command_of_their_table(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1,x\n")
    _count(feed)
    (message,) = feed.messages()
    assert (message.topic, message.key) == ("inventory", "stock.csv:2")


def test_rejected_rows_travel_on_the_topic_that_the_mapping_names(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\nA,1,x\n")
    feed.stock(options='topic = "catalog"\ntypes = { qty = "INTEGER" }')
    assert [message.topic for message in feed.messages()] == ["catalog"]


def test_a_very_long_broken_row_stays_a_message_that_fits(feed: Any) -> None:
    feed.file("stock.csv", "sku,qty\n" + "x,1," + "\x01" * 110_000 + "\n")
    _count(feed)
    (row,) = feed.rejected()
    assert len(row["text"]) == 100_000
