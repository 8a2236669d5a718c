"""A shop's database as a source: what changed becomes the right messages, whatever is killed when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest
from psycopg_pool import ConnectionPool

from adapters.files.duckdb_row_mapping import DuckDbRowMapping
from adapters.postgres.database import open_pool
from adapters.postgres.server import EmbeddedPostgres
from adapters.postgres.source_ledger import PostgresSourceLedger
from adapters.postgres.source_staging import PostgresStaging
from adapters.sql.source_database import SqlSourceDatabase
from application.ingest.messages import REJECTED_TYPE, CloudEvent, decode_envelope
from application.ports.file_source import MappingError
from application.ports.message_stream import OutgoingMessage
from application.ports.source_ledger import AmbiguousKeyError, SourceShrankError
from application.sources import settling
from application.sources.database import DatabaseIngest, Done
from tests.foreign_database import foreign_database
from tests.integration.killing import Killed, killing

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TABLES = """
CREATE TABLE categories (id integer PRIMARY KEY, name text);
CREATE TABLE products (sku text PRIMARY KEY, name text, category integer, price numeric, stock integer);
CREATE TABLE orders (id integer PRIMARY KEY, customer text, wanted date, placed timestamptz, updated timestamptz);
CREATE TABLE lines (id integer PRIMARY KEY, order_no integer, no integer, sku text, qty text, price numeric,
    updated timestamptz);
INSERT INTO categories VALUES (1, 'Tea'), (2, 'Coffee');
INSERT INTO products VALUES ('A', 'Assam', 1, 4.50, 10), ('B', 'Brazil', 2, 7.20, 20), ('C', 'Chai', 1, 3.10, 30);
"""
HEADER = """
name = "shop"
zone = "Europe/Berlin"
currency = "EUR"

[tables.categories]
key = "id"
lookup = true

[tables.products]
key = "sku"
types = { price = "DECIMAL(18, 2)", stock = "INTEGER" }

[tables.orders]
key = "id"
changed = "updated"
overlap = OVERLAP
deletes = DELETES
types = { wanted = "DATE", placed = "TIMESTAMPTZ", updated = "TIMESTAMPTZ" }

[tables.lines]
key = "id"
of = "orders"
by = "order_no"
changed = "updated"
overlap = OVERLAP
deletes = DELETES
types = { no = "INTEGER", qty = "INTEGER", price = "DECIMAL(18, 2)" }
"""
SELECTS = {
    "05_RegisterLocation.sql": "SELECT 'main' AS location_id, 'Main' AS name, DATE '2026-01-01' AS occurred_at",
    "10_RegisterProduct.sql": """
        SELECT sku AS product_id, products.name, categories.name AS category, price AS unit_price,
            DATE '2026-01-01' AS occurred_at, _file
        FROM products LEFT JOIN categories ON categories.id = category""".replace("_file", "products._file"),
    "20_CountStock.sql": """
        SELECT sku AS product_id, 'main' AS location_id, DATE '2026-01-01' AS occurred_at, stock AS counted, _file
        FROM products""",
    "30_PlaceOrder.sql": """
        WITH of_order AS (
            SELECT order_no AS id,
                list({line_no: no, product_id: sku, quantity: qty, unit_price: price} ORDER BY no) AS lines
            FROM lines GROUP BY order_no)
        SELECT id AS order_id, placed AS occurred_at, customer AS customer_id, coalesce(lines, []) AS lines,
            wanted AS requested_date, updated AS _changed, _file
        FROM orders LEFT JOIN of_order USING (id)""",
}


class Shop(NamedTuple):
    """The shop's database, its mapping, and what was published."""

    owner: psycopg.Connection
    url: str
    pool: ConnectionPool
    mapping: Path
    published: list[CloudEvent]

    def select(self, name: str, statement: str) -> None:
        (self.mapping / name).write_text(statement)

    def header(self, overlap: int = 60, *, deletes: bool = True, more: str = "") -> None:
        text = HEADER.replace("OVERLAP", str(overlap)).replace("DELETES", str(deletes).lower())
        (self.mapping / "mapping.toml").write_text(text + more)

    def order(self, number: int, *lines: tuple[int, str, int], at: str = "now()", by: Any = None) -> None:
        """Place an order of line number, product, quantity; `by` another connection of the shop."""
        owner = by or self.owner
        owner.execute(f"INSERT INTO orders VALUES ({number}, 'c1', '2026-06-01', '2026-05-01 09:00+02', {at})")
        for no, sku, quantity in lines:
            values = f"{number * 100 + no}, {number}, {no}, '{sku}', '{quantity}', 2.50, {at}"
            owner.execute(f"INSERT INTO lines VALUES ({values})")

    def change(self, table: str, where: str, assignment: str) -> None:
        self.owner.execute(f"UPDATE {table} SET {assignment}, updated = now() WHERE {where}")

    def run(self, **options: Any) -> tuple[Done, list[str]]:
        """Take in what changed; return what was read, and what was published as short text."""
        before = len(self.published)
        mapping = DuckDbRowMapping(self.mapping)
        ledger = PostgresSourceLedger(self.pool)
        try:
            done = DatabaseIngest(SqlSourceDatabase(self.url), mapping, ledger, ledger, self).run(NOW, **options)
        finally:
            mapping.close()
        return done, [_short(event) for event in self.published[before:]]

    def publish(self, messages: list[OutgoingMessage]) -> None:
        self.published.extend(decode_envelope(message.payload) for message in messages)

    def distinct(self) -> dict[str, str]:
        """What was published, each message once, by its id."""
        return {event.id: _short(event) for event in self.published}


def _short(event: CloudEvent) -> str:
    data = msgspec.json.decode(event.data)
    if event.type == REJECTED_TYPE:
        return f"{data['code']}: {data['detail']}"
    lines = "".join(f" {line['line_no']}x{line['quantity']}" for line in data.get("lines", ()))
    shown = "".join(
        f" {data[name]}" for name in ("counted", "category", "requested_date") if data.get(name) is not None
    )
    return f"{event.type.split('.')[1]} {event.subject}{lines}{shown}"


@pytest.fixture
def shop(postgres: EmbeddedPostgres, conninfo: str, tmp_path: Path) -> Iterator[Shop]:
    with foreign_database(postgres) as (url, owner), open_pool(conninfo) as pool:
        owner.execute(TABLES.encode())
        shop = Shop(owner, url, pool, tmp_path, [])
        shop.header()
        for name, statement in SELECTS.items():
            shop.select(name, statement)
        yield shop


@pytest.fixture
def known(shop: Shop) -> Shop:
    """A shop with two orders that were taken in."""
    shop.order(1, (1, "A", 10), (2, "B", 4), at="now() - interval '2 hours'")
    shop.order(2, (1, "C", 1), at="now() - interval '1 hour'")
    shop.run()
    return shop


def test_the_first_reading_takes_all_and_the_next_nothing(shop: Shop) -> None:
    shop.order(1, (1, "A", 10), (2, "B", 4))
    done, published = shop.run()
    assert Counter(published) == {
        "RegisterLocation location-main": 1,
        "RegisterProduct product-A Tea": 1,
        "RegisterProduct product-B Coffee": 1,
        "RegisterProduct product-C Tea": 1,
        "CountStock inventory-A@main 10": 1,
        "CountStock inventory-B@main 20": 1,
        "CountStock inventory-C@main 30": 1,
        "PlaceOrder order-1 1x10 2x4 2026-06-01": 1,
    }
    assert done == Done(rows_read=8, keys_read=0, rows_changed=8, messages=8)
    assert shop.run() == (Done(rows_read=8, keys_read=3, rows_changed=0, messages=0), [])


def test_a_new_order_is_read_alone(known: Shop) -> None:
    known.order(3, (1, "A", 1))
    done, published = known.run()
    assert published == ["PlaceOrder order-3 1x1 2026-06-01"]
    assert done.rows_changed == 2
    assert done.rows_read == 5 + 2 * 2, "products are read as a whole, of the orders the new and the last before it"


@pytest.mark.parametrize(("overlap", "deletes"), [(60, False), (0, True)])
def test_rows_of_a_transaction_that_commits_late_are_not_missed(shop: Shop, overlap: int, deletes: bool) -> None:
    shop.header(overlap, deletes=deletes)
    with psycopg.connect(shop.owner.info.dsn) as late:
        shop.order(1, (1, "A", 1), at="now() - interval '30 seconds'", by=late)
        shop.order(2, (1, "A", 2))
        assert "PlaceOrder order-2 1x2 2026-06-01" in shop.run()[1]
        late.commit()
    assert shop.run()[1] == ["PlaceOrder order-1 1x1 2026-06-01"]
    assert shop.run()[1] == []


def test_fewer_units_and_lines_that_are_gone_are_cancelled(known: Shop) -> None:
    known.change("lines", "id = 101", "qty = '7'")
    assert known.run()[1] == ["CancelOrderLines order-1 1x3"]
    known.owner.execute("DELETE FROM lines WHERE id = 102")
    assert known.run()[1] == ["CancelOrderLines order-1 2x4"]
    assert known.run()[1] == []


def test_further_lines_and_more_units_are_added_and_nothing_else_is_read(known: Shop) -> None:
    known.owner.execute("INSERT INTO lines VALUES (103, 1, 3, 'C', '6', 3.10, now())")
    known.change("lines", "id = 101", "qty = '15'")
    done, published = known.run()
    assert published == ["IncreaseOrderLines order-1 1x5", "AddOrderLines order-1 3x6"]
    assert done.rows_changed == 2
    assert known.run()[1] == []


def test_a_line_that_moves_to_another_order_is_cancelled_in_its_own_and_added_there(known: Shop) -> None:
    known.change("lines", "id = 102", "order_no = 2, no = 2")
    assert known.run()[1] == [
        "CancelOrderLines order-1 2x4",
        "AddOrderLines order-2 2x4",
    ]


def test_a_deleted_order_is_cancelled(known: Shop) -> None:
    known.owner.execute("DELETE FROM orders WHERE id = 1")
    known.owner.execute("DELETE FROM lines WHERE order_no = 1")
    assert known.run()[1] == ["CancelOrder order-1"]
    assert known.run()[1] == []


def test_a_requested_date_is_revised_when_the_source_changed_it(known: Shop) -> None:
    known.owner.execute("UPDATE orders SET wanted = '2026-06-09', updated = '2026-05-03 08:00+00' WHERE id = 2")
    known.header(overlap=10**9)
    assert known.run()[1] == ["ReviseRequestedDate order-2 2026-06-09"]
    data = msgspec.json.decode(known.published[-1].data)
    assert data["occurred_at"] == "2026-05-03T08:00:00Z"


def test_a_change_that_no_command_expresses_is_rejected_with_both_values(known: Shop) -> None:
    known.change("lines", "id = 101", "price = 9.99, qty = '12'")
    known.change("orders", "id = 2", "customer = 'c2'")
    asked = "nothing can be asked for that after PlaceOrder"
    assert known.run()[1] == [
        "UnsupportedChange: orders 1: line 1: unit_price was 2.50, is 9.99; line 1: quantity was 10, is 12: " + asked,
        "UnsupportedChange: orders 2: customer_id was c1, is c2: " + asked,
    ]
    assert {event.origin for event in known.published[-2:]} == {"orders 1", "orders 2"}
    assert known.run()[1] == []


def test_a_state_that_comes_back_is_a_message_of_its_own(known: Shop) -> None:
    for stock in (11, 10, 11):
        known.owner.execute(f"UPDATE products SET stock = {stock} WHERE sku = 'A'")
        assert known.run()[1] == [f"CountStock inventory-A@main {stock}"]
    assert len(known.distinct()) == len(known.published)


def test_a_lookup_that_changes_reaches_the_rows_that_use_it(known: Shop) -> None:
    known.owner.execute("UPDATE categories SET name = 'Fine tea' WHERE id = 1")
    assert sorted(known.run()[1]) == ["ReviseProduct product-A Fine tea", "ReviseProduct product-C Fine tea"]
    assert known.run()[1] == []


def test_an_entry_that_is_gone_is_retired(known: Shop) -> None:
    known.owner.execute("DELETE FROM products WHERE sku = 'B'")
    assert known.run()[1] == [
        "RetireProduct product-B",
        "UnsupportedChange: products B: the row is gone: nothing can be asked for that after CountStock",
    ]


def test_a_row_that_cannot_be_read_holds_its_order_and_no_other(known: Shop) -> None:
    known.change("lines", "id = 101", "qty = 'ten'")
    known.change("lines", "id = 102", "qty = '3'")
    known.change("orders", "id = 2", "wanted = '2026-06-02'")
    wrong = "RowRejected: lines 101, 1: qty is 'ten', not INTEGER"
    assert sorted(known.run()[1]) == ["ReviseRequestedDate order-2 2026-06-02", wrong]
    assert known.run()[1] == []
    known.change("lines", "id = 101", "qty = '9'")
    assert known.run()[1] == ["CancelOrderLines order-1 1x1 2x1"]


def test_an_order_is_placed_when_what_was_wrong_with_it_is_corrected(known: Shop) -> None:
    known.order(3, (1, "A", 1))
    known.change("lines", "id = 301", "qty = NULL")
    assert known.run()[1] == ["RowRejected: orders 3: 30_PlaceOrder.sql: lines[0].quantity is null"]
    known.change("lines", "id = 301", "qty = '5'")
    assert known.run()[1] == ["PlaceOrder order-3 1x5 2026-06-01"]


def test_a_table_that_is_all_but_empty_is_not_believed(known: Shop) -> None:
    known.owner.execute("INSERT INTO products SELECT 'P' || n, 'P', 1, 1, 1 FROM generate_series(1, 200) n; ")
    known.run()
    known.owner.execute("DELETE FROM products WHERE sku <> 'A'")
    with pytest.raises(SourceShrankError, match=r"202 of 203 rows of products are gone .* --accept-deletes"):
        known.run()
    done, published = known.run(accept_deletes=True)
    assert done.rows_changed == 202
    assert Counter(text.split()[0] for text in published)["RetireProduct"] == 202


def test_a_key_that_does_not_identify_is_said(shop: Shop) -> None:
    shop.header()
    text = (shop.mapping / "mapping.toml").read_text().replace('key = "sku"', 'key = "category"')
    (shop.mapping / "mapping.toml").write_text(text)
    with pytest.raises(AmbiguousKeyError, match=r"products: two rows have the key \[1\]"):
        shop.run()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("30_PlaceOrder.sql", "customer AS", "(SELECT max(sku) FROM products) AS"), "orders and products change on"),
        (("20_CountStock.sql", ", _file", ""), "20_CountStock.sql: pass _file of products on"),
        (
            ("mapping.toml", 'of = "orders"', 'of = "order"'),
            "tables.lines: of = 'order' is not .* did you mean orders?",
        ),
        (("mapping.toml", "overlap = 60\n", ""), "tables.orders: overlap is missing"),
        (
            ("mapping.toml", "lookup = true", "lokup = true"),
            "unknown key tables.categories.lokup; did you mean lookup?",
        ),
        (("mapping.toml", 'qty = "INTEGER"', 'qyt = "INTEGER"'), "tables.lines.types.qyt: .* did you mean qty?"),
        (("mapping.toml", 'qty = "INTEGER"', 'qty = "INT3GER"'), "tables.lines.types.qty: 'INT3GER' is not a type"),
    ],
)
def test_a_mistake_in_the_mapping_is_said_before_anything_is_read(
    shop: Shop, change: tuple[str, str, str], said: str
) -> None:
    name, old, new = change
    shop.select(name, (shop.mapping / name).read_text().replace(old, new))
    with pytest.raises(MappingError, match=said):
        shop.run()
    assert not shop.published


STEPS: list[tuple[Any, str, int]] = [
    (PostgresSourceLedger, "stage", 1),
    (PostgresStaging, "finish", 1),
    (PostgresSourceLedger, "settle", 1),
    (PostgresSourceLedger, "settle", 3),
    (Shop, "publish", 1),
    (Shop, "publish", 3),
    (PostgresSourceLedger, "forget", 1),
    (PostgresSourceLedger, "forget", 3),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS, ids=[f"{name} {number}" for _, name, number in STEPS])
def test_killed_at_any_point_nothing_is_lost_or_doubled(
    known: Shop, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str, int], moment: str
) -> None:
    monkeypatch.setattr(settling, "GROUPS", 1)
    before = set(known.distinct())
    known.change("lines", "id = 101", "qty = '7'")
    known.change("orders", "id = 2", "wanted = '2026-06-02'")
    known.order(3, (1, "A", 1))
    known.owner.execute("UPDATE categories SET name = 'Fine tea' WHERE id = 1")
    with killing(monkeypatch, step, moment), pytest.raises(Killed):
        known.run()
    # Meanwhile the source goes on: what was kept first must not be told twice, nor in other words.
    known.change("lines", "id = 101", "qty = '5'")
    known.run()
    known.run()
    published = [text for key, text in known.distinct().items() if key not in before]
    cancelled = [text for text in published if text.startswith("CancelOrderLines")]
    assert cancelled in (
        ["CancelOrderLines order-1 1x5"],
        ["CancelOrderLines order-1 1x3", "CancelOrderLines order-1 1x2"],
    )
    assert sorted(text for text in published if text not in cancelled) == [
        "PlaceOrder order-3 1x1 2026-06-01",
        "ReviseProduct product-A Fine tea",
        "ReviseProduct product-C Fine tea",
        "ReviseRequestedDate order-2 2026-06-02",
    ]
