"""One order from each source to each gold row: on real servers for everything, and on the embedded default alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from application.ingest.messages import encode_command
from domain.inventory.commands import ReceiveStock
from domain.shipment.commands import DeliverShipment, DispatchShipment, PlanShipment, ShipmentLine
from tests.acceptance.stacks import Platform, Stack, embedded, full

TEA = {"_id": "tea", "name": "Assam", "category": "Tea", "supplier_id": "S", "unit_price": 18.5, "currency": "EUR"}
JANUARY = "2026-01-01T00:00:00Z"
CATALOG: dict[str, list[dict[str, Any]]] = {
    "suppliers": [{"_id": "S", "name": "Tokyo Traders", "country": "JP", "updated_at": JANUARY}],
    "carriers": [{"_id": "rail", "name": "Rail Express", "mode": "rail", "updated_at": JANUARY}],
    "locations": [
        {"_id": "BER", "name": "Berlin", "country": "DE", "latitude": 52.52, "longitude": 13.4, "updated_at": JANUARY}
    ],
    "customers": [
        {"_id": "c1", "name": "Café", "country": "FR", "latitude": 48.86, "longitude": 2.35, "updated_at": JANUARY}
    ],
    "products": [
        TEA | {"updated_at": JANUARY},
        TEA | {"_id": "mug", "name": "Mug", "category": "Ware", "unit_price": 6, "updated_at": JANUARY},
        TEA | {"_id": "cup", "name": "Cup", "unit_price": "6.00", "updated_at": JANUARY},
    ],
}
DEARER = {
    "suppliers": [{"_id": "S", "name": "Tokyo Trading", "country": "JP", "updated_at": "2026-03-01T00:00:00Z"}],
    "products": [
        TEA | {"unit_price": 21, "updated_at": "2026-03-01T00:00:00Z"},
        TEA
        | {"_id": "mug", "name": "Mug", "category": "Ware", "unit_price": 6, "retired": True}
        | {"updated_at": "2026-04-01T00:00:00Z"},
    ],
}
SHOP = """
CREATE TABLE orders (id integer PRIMARY KEY, customer text, placed timestamptz, wanted date, freight numeric);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer, no integer, sku text, qty integer, price numeric);
"""
MAPPING = {
    "mapping.toml": """
name = "shop"
zone = "UTC"
currency = "EUR"

[tables.orders]
key = "id"
types = { placed = "TIMESTAMPTZ", wanted = "DATE", freight = "DECIMAL(18, 2)" }

[tables.lines]
key = "id"
of = "orders"
by = "order_id"
types = { no = "INTEGER", qty = "INTEGER", price = "DECIMAL(18, 2)" }
""",
    "10_PlaceOrder.sql": """
WITH of_order AS (
    SELECT order_id AS id, list({line_no: no, product_id: sku, quantity: qty, unit_price: price} ORDER BY no) AS lines
    FROM lines GROUP BY order_id)
SELECT id AS order_id, placed AS occurred_at, customer AS customer_id, coalesce(lines, []) AS lines,
    wanted AS requested_date, freight, 'rail' AS carrier_id, 'Paris' AS ship_to_city, 'FR' AS ship_to_country, _file
FROM orders LEFT JOIN of_order USING (id)
""",
}
POSITIONS = ("first_position", "last_position")
"""Where an event stands in the log depends on which partition was read first; all else does not."""


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def _say(platform: Platform, folder: Path, topic: str, *commands: Any) -> None:
    """Take in messages of another system, as a file."""
    file = folder / f"{topic}.ndjson"
    messages = [encode_command(each, message_id=f"{topic}-{n}", source="wms") for n, each in enumerate(commands)]
    file.write_bytes(b"".join(message.payload + b"\n" for message in messages))
    platform.do("ingest", "messages", file)


def _tell(stack: Stack, folder: Path) -> None:
    """Tell the story, each part by the system that knows it."""
    platform = stack.platform
    mapping = folder / "mapping"
    mapping.mkdir()
    for name, text in MAPPING.items():
        (mapping / name).write_text(text)
    orders = ("ingest", "orders-db", "--mapping", mapping, "--url", stack.shop_url)
    decide = ("process", "fulfilment", "enrichment", "--once")

    stack.document(CATALOG)
    platform.do("ingest", "catalog")
    stock = {"location_id": "BER", "occurred_at": at(2, 1), "supplier_id": "S"}
    received = (("tea", 10), ("mug", 3))
    _say(platform, folder, "inventory", *(ReceiveStock(product_id=sku, quantity=n, **stock) for sku, n in received))
    stack.shop.execute(SHOP)
    stack.shop.execute("INSERT INTO orders VALUES (1, 'c1', '2026-02-10 09:00Z', '2026-02-20', 12.50)")
    stack.shop.execute("INSERT INTO lines VALUES (11, 1, 1, 'tea', 4, 18.50), (12, 1, 2, 'mug', 5, 6)")
    platform.do(*orders)
    assert platform.do(*decide).startswith("2 events acted on by fulfilment and enrichment: 5 events followed (")

    sent = {"shipment_id": "s1", "order_id": "1", "carrier_id": "rail", "origin_location_id": "BER"}
    units = (
        ShipmentLine(line_no=1, product_id="tea", quantity=4),
        ShipmentLine(line_no=2, product_id="mug", quantity=3),
    )
    goal = {"destination_latitude": 48.86, "destination_longitude": 2.35, "destination_city": "Paris"}
    shipment = (
        PlanShipment(**sent, **goal, lines=units, occurred_at=at(2, 11)),
        DispatchShipment(shipment_id="s1", occurred_at=at(2, 12)),
        DeliverShipment(shipment_id="s1", occurred_at=at(2, 14)),
    )
    _say(platform, folder, "shipments", *shipment)
    platform.do(*decide)

    stack.document(DEARER)
    platform.do("ingest", "catalog")
    stack.shop.execute("INSERT INTO orders VALUES (2, 'c1', '2026-04-02 09:00Z', NULL, 0)")
    stack.shop.execute("INSERT INTO lines VALUES (21, 2, 1, 'tea', 1, 21)")
    platform.do(*orders)
    platform.do(*decide)
    platform.do("project", "--once")


def _rows(star: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return star.execute(query.encode()).fetchall()


def _gold(star: psycopg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return every table of gold without positions; of quarantine what was set aside, not when."""
    query = (
        "SELECT table_name, array_agg(quote_ident(column_name) ORDER BY column_name) FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) "
        "WHERE table_schema = 'gold' AND table_type = 'BASE TABLE' AND column_name <> ALL(%s) GROUP BY table_name"
    )
    columns = dict(star.execute(query, [list(POSITIONS)]).fetchall())
    columns["fact_quarantine"] = ["code", "source", "detail"]
    return {
        name: sorted(_rows(star, f"SELECT {', '.join(of)} FROM gold.{name}"), key=repr) for name, of in columns.items()
    }


@pytest.fixture(scope="module")
def on_the_default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("embedded")
    with embedded(folder) as stack:
        _tell(stack, folder)
        yield stack


def test_the_story_stands_in_every_fact_and_dimension(on_the_default: Stack) -> None:
    _hold_the_story(on_the_default)


def test_real_servers_tell_the_same_story(on_the_default: Stack, tmp_path: Path) -> None:
    with full(tmp_path) as stack:
        _tell(stack, tmp_path)
        _hold_the_story(stack)
        assert _gold(stack.star) == _gold(on_the_default.star)
        for _ in range(2):
            assert stack.platform.json("kpi")["rows"] == on_the_default.platform.json("kpi")["rows"], (
                "cached figures, too"
            )
        assert stack.platform.json("verify")["equal"] is True


BEGIN = datetime(1900, 1, 1, tzinfo=UTC)
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    """SELECT product_id, unit_price, retired, valid_from, valid_to
    FROM gold.dim_product WHERE product_id <> '' ORDER BY product_id, valid_from""": [
        ("mug", 6, False, BEGIN, at(4, 1)),
        ("mug", 6, True, at(4, 1), None),
        ("tea", Decimal("18.5"), False, BEGIN, at(3, 1)),
        ("tea", 21, False, at(3, 1), None),
    ],
    """SELECT order_id, line_no, p.unit_price, s.name, c.name, r.name, l.name,
        ordered, backordered, allocated, shipped, delivered
    FROM gold.fact_order_line f JOIN gold.dim_product p USING (product_key)
    JOIN gold.dim_supplier s USING (supplier_key) JOIN gold.dim_customer c USING (customer_key)
    JOIN gold.dim_carrier r USING (carrier_key)
    JOIN gold.dim_location l USING (location_key) ORDER BY order_id, line_no""": [
        ("1", 1, Decimal("18.5"), "Tokyo Traders", "Café", "Rail Express", "Berlin", 4, 0, 0, 4, 4),
        ("1", 2, 6, "Tokyo Traders", "Café", "Rail Express", "Berlin", 5, 2, 0, 3, 3),
        ("2", 1, 21, "Tokyo Trading", "Café", "Rail Express", "Berlin", 1, 0, 1, 0, 0),
    ],
    "SELECT order_id, line_no, kind, quantity FROM gold.fact_order_line_event ORDER BY stream_id, version, line_no": [
        ("1", 1, "placed", 4),
        ("1", 2, "placed", 5),
        ("1", 1, "allocated", 4),
        ("1", 2, "allocated", 3),
        ("1", 2, "backordered", 2),
        ("1", 1, "shipped", 4),
        ("1", 2, "shipped", 3),
        ("1", 1, "delivered", 4),
        ("1", 2, "delivered", 3),
        ("2", 1, "placed", 1),
        ("2", 1, "allocated", 1),
    ],
    "SELECT order_id, placed_at, freight FROM gold.fact_order ORDER BY order_id": [
        ("1", at(2, 10, 9), Decimal("12.50")),
        ("2", at(4, 2, 9), 0),
    ],
    """SELECT shipment_id, status, dispatched_at, delivered_at, units, units_delivered, round(distance_km::numeric),
        route_provider, weather_provider FROM gold.fact_shipment""": [
        ("s1", "delivered", at(2, 12), at(2, 14), 7, 7, 877, "great-circle", None),
    ],
    "SELECT kind FROM gold.fact_shipment_event ORDER BY version": [
        ("planned",),
        ("dispatched",),
        ("delivered",),
        ("route_measured",),
    ],
    """SELECT product_id, kind, delta_on_hand, delta_reserved, on_hand, reserved
    FROM gold.fact_stock_movement ORDER BY product_id, version""": [
        ("mug", "received", 3, 0, 3, 0),
        ("mug", "reserved", 0, 3, 3, 3),
        ("mug", "shipped", -3, -3, 0, 0),
        ("tea", "received", 10, 0, 10, 0),
        ("tea", "reserved", 0, 4, 10, 4),
        ("tea", "shipped", -4, -4, 6, 0),
        ("tea", "reserved", 0, 1, 6, 1),
    ],
    """SELECT DISTINCT ON (product_id) product_id, on_hand, reserved FROM gold.fact_stock_daily
    ORDER BY product_id, date_key DESC""": [("mug", 0, 0), ("tea", 6, 1)],
    "SELECT code, source, detail FROM gold.fact_quarantine": [
        ("DocumentRejected", "products cup", 'products cup: unit_price is the text "6.00"; it takes a number')
    ],
}


def _hold_the_story(stack: Stack) -> None:
    assert {query: _rows(stack.star, query) for query in EXPECTED} == EXPECTED
    assert stack.platform.json("status")["balance_holds"] is True
