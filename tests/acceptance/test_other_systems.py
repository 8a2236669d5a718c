"""Databases and topics of other systems, taken in as a user does."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres.database import open_pool
from adapters.postgres.topic_log import PostgresTopicLog
from application.ports.message_stream import OutgoingMessage
from tests.acceptance.home import Home, ended, until

TOPIC = "erp-orders"
FEED = f"""
name = "erp"
zone = "UTC"
currency = "EUR"

[topics.erp]
topic = "{TOPIC}"

[topics.erp.types]
no = "VARCHAR"
buyer = "VARCHAR"
sku = "VARCHAR"
units = "INTEGER"
"""
PLACE = """
SELECT no AS order_id, DATE '2026-05-01' AS occurred_at, buyer AS customer_id, _file,
    [{line_no: 1, product_id: sku, quantity: units, unit_price: 2::DECIMAL(18, 2)}] AS lines
FROM erp
"""
DATABASE = """
name = "shop"
zone = "UTC"
currency = "EUR"

[tables.products]
key = "sku"
types = { price = "DECIMAL(18, 2)" }
"""
REGISTER = """
SELECT sku AS product_id, DATE '2026-05-01' AS occurred_at, name, price AS unit_price, _file FROM products
"""


def _mapping(folder: Path, header: str, **selects: str) -> Path:
    (folder / "mapping.toml").write_text(header)
    for name, statement in selects.items():
        (folder / f"{name.removeprefix('s')}.sql").write_text(statement)
    return folder


def _say(home: Home, *said: bytes) -> None:
    """Publish on a topic of another system in the topic log."""
    with home.connect() as connection:
        connection.execute("INSERT INTO stream.partitions VALUES (%s, 0, 0) ON CONFLICT DO NOTHING", [TOPIC])
    with open_pool(home.conninfo(), size=1) as pool, closing(PostgresTopicLog(pool, home.conninfo())) as log:
        log.publish([OutgoingMessage(TOPIC, "k", each) for each in said])


def _order(number: int, units: Any) -> bytes:
    return json.dumps({"no": str(number), "buyer": "c1", "sku": "A", "units": units}).encode()


def test_a_topic_is_taken_in_once_and_what_is_wrong_in_it_set_aside(home: Home, tmp_path: Path) -> None:
    ingest = ("ingest", "topics", "--mapping", _mapping(tmp_path, FEED, s10_PlaceOrder=PLACE), "--once")
    home.keep_server().do("status")
    _say(home, _order(1, 5), b"{oops", _order(2, "many"), _order(3, 7))
    counts = {"received": 4, "applied": 2, "duplicate": 0, "quarantined": 2}
    assert home.json(*ingest) == {"messages_read": 4, **counts}
    assert home.json(*ingest) == {"messages_read": 0, **dict.fromkeys(counts, 0)}
    _say(home, _order(4, 1))
    assert re.match("1 messages read, 1 messages received: 1 applied", home.do(*ingest))
    quarantined = home.json("quarantine", "list")
    assert [message["source"] for message in quarantined] == [f"{TOPIC}/0@2", f"{TOPIC}/0@1"]
    (placed,) = home.json("events", "order-3")
    assert placed["metadata"]["source"] == f"{TOPIC}/0@3"
    assert home.json("kpi", "orders", "units")["rows"][0]["figures"] == {"orders": 3, "units": 13}


def test_a_topic_that_is_followed_between_structured_logs_is_told_as_one_of_them(home: Home, tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, FEED, s10_PlaceOrder=PLACE)
    home.keep_server().do("status")
    _say(home, _order(1, 5), _order(2, 7))
    following = home.start("ingest", "topics", "--mapping", mapping, log_format="json")
    with home.connect() as connection:
        sent = "SELECT count(*) FROM stream.messages WHERE topic = 'orders'"
        until(lambda: connection.execute(sent).fetchone() == (2,), "what is there is not taken in")
    following.terminate()
    done = ended(following)
    assert (done.returncode, done.stdout) == (0, "")
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["level"], line["message"]) for line in logged] == [("info", "2 messages read")]


def test_any_database_is_taken_in_as_it_changes(home: Home, tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, DATABASE, s10_RegisterProduct=REGISTER)
    home.keep_server()
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as shop:
        shop.execute("CREATE TABLE products (sku text, name text, price text)")
        shop.execute("INSERT INTO products VALUES ('A', 'Assam', '4.50'), ('B', 'Brazil', '7.20')")
        ingest = ("ingest", "orders-db", "--mapping", mapping)
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        assert "2 rows read, 0 keys read, 2 rows changed, 2 messages, 2 messages" in home.do(*ingest, orders_db_url=url)
        shop.execute("UPDATE products SET price = '4.80' WHERE sku = 'A'")
        taken = home.json(*ingest, "--url", url)
        assert (taken["rows_changed"], taken["messages"], taken["applied"]) == (1, 1, 1)
    revised = home.json("events", "product-A")[-1]
    assert (revised["topic"], revised["data"]["unit_price"]) == ("ProductRevised.v1", 4.8)
    assert revised["metadata"]["source"] == "products A"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("orders-db",), "which database? Set DATAFLOW_ORDERS_DB_URL, or give --url"),
        (("orders-db", "--url", "postgresql://ann:s3cr3t@127.0.0.1:9/shop"), "postgresql://ann:***@127.0.0.1:9/shop"),
        (("topics", "--once"), "names no topic; add [topics.<table>] with a topic"),
    ],
)
def test_a_mistake_is_one_line(shop: Home, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    mapping = _mapping(tmp_path, DATABASE, s10_RegisterProduct=REGISTER)
    refused = shop.refusal("ingest", *arguments, "--mapping", mapping)
    assert said in refused
    assert "s3cr3t" not in refused
