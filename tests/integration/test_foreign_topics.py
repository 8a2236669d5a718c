"""Other systems' topics as sources: JSON of their own, and Debezium's change messages."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import psycopg
import pytest

from adapters.files.duckdb_row_mapping import DuckDbRowMapping
from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.source_ledger import PostgresSourceLedger
from adapters.postgres.source_staging import PostgresStaging
from application.ingest.messages import CloudEvent, decode_envelope
from application.ports.message_stream import POLL_BYTES, OutgoingMessage, Partition, ReceivedMessage
from application.sources import topics
from application.sources.topics import TopicIngest, UnknownTopicError
from tests.integration.test_orders_database import Killed, _short, killing

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHOP = "erp-orders"
ORDERS, LINES = "shop.public.orders", "shop.public.lines"
JSON_HEADER = f"""
name = "erp"
zone = "Europe/Berlin"
currency = "EUR"

[topics.erp]
topic = "{SHOP}"

[topics.erp.types]
no = "VARCHAR"
buyer = "STRUCT(id VARCHAR)"
ordered = "TIMESTAMP"
event = "VARCHAR"
items = "STRUCT(sku VARCHAR, n INTEGER, price DECIMAL(18, 2))[]"
uid = "VARCHAR"
"""
JSON_SELECT = """
SELECT no AS order_id, ordered AS occurred_at, buyer.id AS customer_id, uid AS _id, _file,
    list_transform(items, lambda i, n: {line_no: n, product_id: i.sku, quantity: i.n, unit_price: i.price}) AS lines
FROM erp WHERE event = 'placed'
"""
CANCEL_SELECT = """
SELECT no AS order_id, ordered AS occurred_at, 'erp' AS reason, uid AS _id, _file FROM erp WHERE event = 'cancelled'
"""
CHANGES_HEADER = f"""
name = "shop"
zone = "UTC"
currency = "EUR"

[tables.orders]
key = "id"
topic = "{ORDERS}"
types = {{ id = "INTEGER", customer = "VARCHAR", placed = "TIMESTAMP", wanted = "DATE", note = "VARCHAR" }}

[tables.lines]
key = ["order_id", "no"]
of = "orders"
by = "order_id"
topic = "{LINES}"
types = {{ order_id = "INTEGER", no = "INTEGER", sku = "VARCHAR", qty = "INTEGER", price = "DECIMAL(18, 2)" }}
"""
CHANGES_SELECT = """
WITH of_order AS (
    SELECT order_id AS id,
        list({line_no: no, product_id: sku, quantity: qty, unit_price: price} ORDER BY no) AS lines
    FROM lines GROUP BY order_id)
SELECT id::VARCHAR AS order_id, placed AS occurred_at, customer AS customer_id, lines, wanted AS requested_date,
    note AS ship_to_city, _file
FROM orders LEFT JOIN of_order USING (id)
"""


class Feed(NamedTuple):
    """Foreign topics, a mapping, and what was published on the platform's."""

    topics: MemoryMessageStream
    ledger: PostgresSourceLedger
    mapping: Path
    published: list[CloudEvent]

    def write(self, header: str, **selects: str) -> Feed:
        (self.mapping / "mapping.toml").write_text(header)
        for name, statement in selects.items():
            (self.mapping / f"{name.removeprefix('s')}.sql").write_text(statement)
        return self

    def say(self, topic: str, content: Any, key: Any = None) -> None:
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.topics.publish([OutgoingMessage(topic, "k" if key is None else json.dumps(key), payload)])

    def run(self) -> list[str]:
        """Take in what there is, as a new process would."""
        before = len(self.published)
        mapping = DuckDbRowMapping(self.mapping)
        ingest = TopicIngest(self.topics, mapping, self.ledger, self.ledger, self)
        try:
            ingest.begin()
            while ingest.goal().left():
                ingest.step(NOW, 0)
        finally:
            mapping.close()
        return [_short(event) for event in self.published[before:]]

    def publish(self, messages: list[OutgoingMessage]) -> None:
        self.published.extend(decode_envelope(message.payload) for message in messages)


@pytest.fixture
def feed(conninfo: str, tmp_path: Path) -> Iterator[Feed]:
    with open_pool(conninfo) as pool:
        yield Feed(MemoryMessageStream([SHOP, ORDERS, LINES]), PostgresSourceLedger(pool), tmp_path, [])


@pytest.fixture
def erp(feed: Feed) -> Feed:
    return feed.write(JSON_HEADER, s10_PlaceOrder=JSON_SELECT, s20_CancelOrder=CANCEL_SELECT)


@pytest.fixture
def shop(feed: Feed) -> Feed:
    return feed.write(CHANGES_HEADER, s10_PlaceOrder=CHANGES_SELECT)


def placed(number: str, *items: tuple[str, int], uid: str, **more: Any) -> dict[str, Any]:
    listed = [{"sku": sku, "n": n, "price": 0.1} for sku, n in items]
    return {
        "event": "placed",
        "no": number,
        "ordered": "2026-05-01T08:00:00",
        "buyer": {"id": "c1"},
        "items": listed,
        "uid": uid,
        **more,
    }


def test_json_of_another_shape_becomes_messages(erp: Feed) -> None:
    erp.say(SHOP, placed("7", ("A", 2), ("B", 1), uid="u1", unused={"x": [1]}))
    erp.say(SHOP, {"event": "cancelled", "no": "7", "ordered": "2026-05-01T09:00:00", "uid": "u2"})
    erp.say(SHOP, {"event": "viewed", "no": "7"})
    assert erp.run() == ["PlaceOrder order-7 1x2 2x1", "CancelOrder order-7"]
    data = json.loads(bytes(erp.published[0].data))
    assert data["occurred_at"] == "2026-05-01T08:00:00+02:00"
    assert data["lines"][0]["unit_price"] == "0.10"
    assert [event.id for event in erp.published] == ["u1", "u2"]
    assert {event.source for event in erp.published} == {"topics/erp"}
    assert erp.run() == []


def test_a_partition_that_is_handed_back_while_a_batch_is_read_counts_once(erp: Feed) -> None:
    for number in range(4):
        erp.say(SHOP, {"event": "cancelled", "no": f"{number}", "ordered": "2026-05-01T09:00:00"})

    class HandedBack(MemoryMessageStream):
        polls = 0

        def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
            self.polls += 1
            if self.polls == 2:
                self.seek(erp.ledger.progress("topics/erp").positions)
            return super().poll(2 if self.polls == 1 else limit, timeout)

    topics = HandedBack([SHOP])
    topics._logs = erp.topics._logs
    assert erp._replace(topics=topics).run() == [f"CancelOrder order-{number}" for number in range(4)]


def test_what_cannot_be_mapped_is_rejected_with_topic_partition_and_offset(erp: Feed) -> None:
    erp.say(SHOP, b"{oops")
    erp.say(SHOP, [1, 2])
    erp.say(SHOP, placed("8", ("A", 2), uid="u1", ordered="yesterday"))
    erp.say(SHOP, placed("9", ("A", 2), uid="u2", buyer=None))
    erp.say(SHOP, placed("10", ("A", 2), uid="u3"))
    partition = next(p.number for p, end in erp.topics.ends().items() if end)
    place = f"{SHOP}/{partition}@"
    assert erp.run() == [
        f"RowRejected: {place}2: ordered is 'yesterday', not TIMESTAMP",
        f"RowRejected: {place}3: 10_PlaceOrder.sql: customer_id is null",
        "PlaceOrder order-10 1x2",
        f"MessageRejected: {place}0: not JSON in UTF-8: JSON is malformed: object keys must be strings (byte 1)",
        f"MessageRejected: {place}1: not a JSON object",
    ]
    assert [event.origin for event in erp.published if "Rejected" in event.type] == [
        f"{place}{offset}" for offset in (2, 3, 0, 1)
    ]


def test_a_topic_that_does_not_exist_is_said(erp: Feed) -> None:
    erp.write(JSON_HEADER.replace(SHOP, "erp-ordres"))
    with pytest.raises(UnknownTopicError, match="there is no topic 'erp-ordres'"):
        erp.run()


def change(op: str, before: Any, after: Any, lsn: int) -> dict[str, Any]:
    source = {"connector": "postgresql", "lsn": lsn, "ts_ms": 1_777_000_000_000}
    return {"op": op, "before": before, "after": after, "source": source, "ts_ms": 1_777_000_000_500}


def order(number: int, **more: Any) -> dict[str, Any]:
    at = {"placed": "2026-05-01T08:00:00", "wanted": "2026-06-01", "note": None}
    return {"id": number, "customer": "c1", **at, **more}


def line(number: int, no: int, qty: int) -> dict[str, Any]:
    return {"order_id": number, "no": no, "sku": f"P{no}", "qty": qty, "price": "2.50"}


def placed_by_changes(shop: Feed, op: str = "c") -> None:
    shop.say(ORDERS, change(op, None, order(1), 10), {"id": 1})
    shop.say(LINES, change(op, None, line(1, 1, 10), 11), {"order_id": 1, "no": 1})
    shop.say(LINES, change(op, None, line(1, 2, 4), 12), {"order_id": 1, "no": 2})


@pytest.mark.parametrize("op", ["c", "r"])
def test_created_rows_and_those_of_a_snapshot_are_placed_as_one_order(shop: Feed, op: str) -> None:
    placed_by_changes(shop, op)
    assert shop.run() == ["PlaceOrder order-1 1x10 2x4 2026-06-01"]
    assert shop.run() == []


def test_changes_become_the_right_commands(shop: Feed) -> None:
    placed_by_changes(shop)
    shop.run()
    shop.say(LINES, change("u", line(1, 1, 10), line(1, 1, 7), 20))
    shop.say(ORDERS, change("u", None, order(1, wanted="2026-06-09"), 21))
    assert shop.run() == ["ReviseRequestedDate order-1 2026-06-09", "CancelOrderLines order-1 1x3"]
    shop.say(LINES, change("c", None, line(1, 3, 6), 21))
    shop.say(LINES, change("u", line(1, 2, 4), line(1, 2, 9), 22))
    assert shop.run() == ["IncreaseOrderLines order-1 2x5", "AddOrderLines order-1 3x6"]
    shop.say(LINES, change("d", line(1, 2, 9), None, 23))
    shop.say(LINES, b"")
    assert shop.run() == ["CancelOrderLines order-1 2x9"]
    shop.say(ORDERS, change("d", None, None, 24), {"id": 1})
    assert shop.run() == ["CancelOrder order-1"]


def test_changes_that_are_sent_again_change_nothing(shop: Feed) -> None:
    placed_by_changes(shop)
    later = [change("u", line(1, 1, 10), line(1, 1, 7), 20), change("d", line(1, 2, 4), None, 22)]
    for each in later:
        shop.say(LINES, each)
    assert shop.run() == ["PlaceOrder order-1 1x7 2026-06-01"]
    placed_by_changes(shop)
    assert shop.run() == []
    for each in later:
        shop.say(LINES, each)
    assert shop.run() == []


def test_the_order_in_which_topics_are_read_does_not_matter(shop: Feed) -> None:
    shop.say(LINES, change("c", None, line(1, 1, 10), 11))
    assert shop.run() == []
    shop.say(ORDERS, change("c", None, order(1), 10))
    assert shop.run() == ["PlaceOrder order-1 1x10 2026-06-01"]


def test_an_order_without_lines_waits_for_them(shop: Feed) -> None:
    shop.say(ORDERS, change("c", None, order(1), 10))
    assert shop.run() == ["RowRejected: orders 1: 10_PlaceOrder.sql: lines is null"]
    shop.say(LINES, change("c", None, line(1, 1, 10), 11))
    assert shop.run() == ["PlaceOrder order-1 1x10 2026-06-01"]


def test_a_value_that_debezium_leaves_out_is_the_one_before(shop: Feed) -> None:
    shop.say(ORDERS, change("c", None, order(1, note="Kiel"), 10))
    shop.say(LINES, change("c", None, line(1, 1, 10), 11))
    shop.run()
    shop.say(ORDERS, change("u", None, order(1, note="__debezium_unavailable_value", wanted="2026-06-03"), 12))
    assert shop.run() == ["ReviseRequestedDate order-1 2026-06-03"]


def test_the_schema_tells_how_dates_times_and_decimals_are_written(shop: Feed) -> None:
    def with_schema(kinds: dict[str, dict[str, Any]], payload: Any) -> dict[str, Any]:
        fields = [{"field": name, "type": "int64", **kind} for name, kind in kinds.items()]
        return {"schema": {"type": "struct", "fields": [{"field": "after", "fields": fields}]}, "payload": payload}

    decimal = {"name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}}
    cents = b64encode((250).to_bytes(2, "big", signed=True)).decode()
    kinds = {"placed": {"name": "io.debezium.time.MicroTimestamp"}, "wanted": {"name": "io.debezium.time.Date"}}
    row = order(1, placed=1_777_622_400_000_000, wanted=20_605)
    shop.say(ORDERS, with_schema(kinds, change("c", None, row, 10)))
    shop.say(LINES, with_schema({"price": decimal}, change("c", None, {**line(1, 1, 10), "price": cents}, 11)))
    assert shop.run() == ["PlaceOrder order-1 1x10 2026-06-01"]
    data = json.loads(bytes(shop.published[0].data))
    assert data["occurred_at"] == "2026-05-01T08:00:00Z"
    assert data["lines"][0]["unit_price"] == "2.50"


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({"op": "t", "source": {}}, "not a change of a row: op is 't'; after a truncation the rows are gone unseen"),
        (order(1), "not a change of a row: op is None"),
        (change("c", None, None, 1), "not a change of a row: it has no after"),
        (change("d", {"id": 9}, None, 1), "orders [9] is gone, but was never known"),
        (change("c", None, {"customer": "c1"}, 1), "orders: a row has no column id, which belongs to its key"),
    ],
)
def test_what_is_no_change_of_a_known_row_is_rejected(shop: Feed, said: Any, detail: str) -> None:
    shop.say(ORDERS, said)
    (published,) = shop.run()
    assert published.startswith(f"MessageRejected: {ORDERS}/")
    assert detail in published
    assert shop.run() == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "step",
    [
        (PostgresStaging, "finish", 1),
        (PostgresSourceLedger, "settle", 1),
        (PostgresSourceLedger, "keep", 1),
        (PostgresSourceLedger, "forget", 1),
        (Feed, "publish", 1),
    ],
    ids=lambda step: step[1],
)
def test_killed_at_any_point_each_message_counts_once(
    feed: Feed, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str, int], moment: str
) -> None:
    more = JSON_HEADER[JSON_HEADER.index("[topics") :]
    feed.write(
        CHANGES_HEADER + more, s10_PlaceOrder=CHANGES_SELECT, s11_PlaceOrder=JSON_SELECT.replace("uid AS _id,", "")
    )
    placed_by_changes(feed)
    feed.say(SHOP, placed("7", ("A", 2), uid="u1"))
    feed.say(SHOP, b"{oops")
    with killing(monkeypatch, step, moment), pytest.raises(Killed):
        feed.run()
    feed.say(LINES, change("u", None, line(1, 1, 7), 20))
    feed.run()
    texts = sorted({event.id: _short(event) for event in feed.published}.values())
    rejected, *asked = sorted(texts, key=lambda text: not text.startswith("MessageRejected"))
    assert rejected.startswith(f"MessageRejected: {SHOP}/")
    assert asked in (
        ["PlaceOrder order-1 1x7 2x4 2026-06-01", "PlaceOrder order-7 1x2"],
        ["CancelOrderLines order-1 1x3", "PlaceOrder order-1 1x10 2x4 2026-06-01", "PlaceOrder order-7 1x2"],
    )


NORTHWIND = Path(__file__).parents[2] / "examples" / "northwind-db"


def test_the_mapping_of_a_database_reads_its_change_messages_as_well(feed: Feed) -> None:
    with closing(DuckDbRowMapping(NORTHWIND)) as mapping:
        topics = [str(table.topic) for table in mapping.tables.values()]
    feed = feed._replace(topics=MemoryMessageStream(topics), mapping=NORTHWIND)
    product = {"product_id": 11, "product_name": "Queso", "supplier_id": 5, "category_id": 4, "unit_price": 21.0}
    detail = {"order_id": 10248, "product_id": 11, "unit_price": 14.0, "quantity": 12, "discount": 0.05}
    order_10248 = {
        "order_id": 10248,
        "customer_id": "VINET",
        "order_date": "1996-07-04",
        "required_date": "1996-08-01",
        "shipped_date": None,
        "freight": 32.38,
    }
    rows = {
        "categories": {"category_id": 4, "category_name": "Dairy"},
        "products": {**product, "units_in_stock": 22, "reorder_level": 30},
        "orders": order_10248,
        "order_details": detail,
    }
    for lsn, (table, row) in enumerate(rows.items(), 1):
        feed.say(f"northwind.public.{table}", change("r", None, row, lsn))
    assert sorted(feed.run()) == [
        "CountStock inventory-11@main 22",
        "PlaceOrder order-10248 11x12 1996-08-01",
        "RegisterLocation location-main",
        "RegisterProduct product-11 Dairy",
        "SetReorderPoint inventory-11@main",
    ]
    feed.say("northwind.public.categories", change("u", None, {"category_id": 4, "category_name": "Cheese"}, 9))
    feed.say("northwind.public.orders", change("u", None, {**order_10248, "shipped_date": "1996-07-16"}, 10))
    feed.say("northwind.public.order_details", change("c", None, {**detail, "product_id": 42}, 11))
    feed.say("northwind.public.order_details", change("u", detail, {**detail, "quantity": 13}, 12))
    assert sorted(feed.run()) == [
        "AddOrderLines order-10248 42x12",
        "DispatchShipment shipment-10248",
        "IncreaseOrderLines order-10248 11x1",
        "PlanShipment shipment-10248 11x13 42x12",
        "ReviseProduct product-11 Cheese",
        "ShipOrderLines order-10248 11x13 42x12",
    ]


class Busy(MemoryMessageStream):
    """A stream on which another message comes whenever one is polled."""

    polled = 0
    key, payload = "k", b"{}"

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        self.polled += 1
        assert self.polled < 200, "it takes in nothing of what it has"
        self.publish([OutgoingMessage(SHOP, self.key, self.payload)])
        time.sleep(0.001)
        return super().poll(limit, timeout)


@pytest.mark.parametrize(
    ("seconds", "sizes", "most"), [(0.1, (1, 2), 110), (60, (1, POLL_BYTES // 4), 5), (60, (POLL_BYTES // 4, 2), 5)]
)
def test_messages_that_come_all_the_time_are_taken_in_meanwhile(
    erp: Feed, monkeypatch: pytest.MonkeyPatch, seconds: float, sizes: tuple[int, int], most: int
) -> None:
    monkeypatch.setattr(topics, "GATHER_SECONDS", seconds, raising=False)
    busy = Busy([SHOP, ORDERS, LINES])
    busy.key, busy.payload = "k" * sizes[0], json.dumps({"event": "x" * (sizes[1] - 2)}).encode()
    with closing(DuckDbRowMapping(erp.mapping)) as mapping:
        ingest = TopicIngest(busy, mapping, erp.ledger, erp.ledger, erp)
        ingest.begin()
        assert 1 < ingest.step(NOW, 0) <= most


def cancelled(number: str) -> dict[str, Any]:
    return {"event": "cancelled", "no": number, "ordered": "2026-05-01T09:00:00"}


def lose_what_was_committed(conninfo: str, positions: dict[Partition, int], sent: int) -> None:
    """As after a failover to a server that did not have it yet, of which a pool of connections says nothing."""
    with psycopg.connect(conninfo) as lost:
        lost.execute("DELETE FROM sources.positions")
        lost.execute("UPDATE sources.state SET sent = %s", [sent])
        for place, offset in positions.items():
            lost.execute("INSERT INTO sources.positions VALUES ('topics/erp', %s, %s, %s)", [*place, offset])


@pytest.mark.parametrize("kept", [0, 1])
def test_messages_that_the_database_lost_of_the_last_commits_are_read_again(
    erp: Feed, conninfo: str, kept: int
) -> None:
    with closing(DuckDbRowMapping(erp.mapping)) as mapping:
        ingest = TopicIngest(erp.topics, mapping, erp.ledger, erp.ledger, erp)
        ingest.begin()
        positions = dict(erp.ledger.progress(ingest.source).positions)
        for number in range(2):
            erp.say(SHOP, cancelled(f"{number}"))
            assert ingest.step(NOW, 0) == 1
            positions = positions if number >= kept else dict(erp.ledger.progress(ingest.source).positions)
        lose_what_was_committed(conninfo, positions, kept)
        erp.say(SHOP, cancelled("2"))
        assert [ingest.step(NOW, 0) for _ in range(3)] == [0, 3 - kept, 0]
    assert [_short(event) for event in erp.published[2:]] == [f"CancelOrder order-{n}" for n in range(kept, 3)]


def test_messages_that_are_read_again_after_a_backup_was_restored_get_the_ids_they_had(
    erp: Feed, conninfo: str
) -> None:
    """Whatever comes together: so those that were published before are recognised. Two of the same message stay two."""
    twice = "SELECT no AS order_id, ordered AS occurred_at, 'erp' AS reason, _file FROM erp, range(2)"
    erp.write(JSON_HEADER, s20_CancelOrder=f"{twice} WHERE event = 'cancelled'")
    for number, key in ((3, "c"), (2, "b"), (1, "a")):
        erp.say(SHOP, cancelled(f"{number}") | ({"ordered": "yesterday"} if number == 2 else {}), key)
        erp.run()
    first = sorted(event.id for event in erp.published)
    assert len(set(first)) == len(first) == 5
    lose_what_was_committed(conninfo, {}, 0)
    erp.published.clear()
    erp.run()
    assert sorted(event.id for event in erp.published) == first


def test_changes_that_the_database_lost_of_the_last_commits_are_read_again(shop: Feed, conninfo: str) -> None:
    with closing(DuckDbRowMapping(shop.mapping)) as mapping:
        ingest = TopicIngest(shop.topics, mapping, shop.ledger, shop.ledger, shop)
        ingest.begin()
        placed_by_changes(shop)
        ingest.step(NOW, 0)
        with psycopg.connect(conninfo) as lost:
            for table in ("positions", "state", "rows"):
                lost.execute(f"DELETE FROM sources.{table}".encode())
        shop.say(LINES, change("u", line(1, 1, 10), line(1, 1, 7), 20))
        assert [ingest.step(NOW, 0) for _ in range(3)] == [0, 4, 0]
    assert [_short(event) for event in shop.published[1:]] == ["PlaceOrder order-1 1x7 2x4 2026-06-01"]


def test_positions_do_not_move_beyond_what_the_database_lost(erp: Feed, conninfo: str) -> None:
    """Where all that came since are marks of transactions, which nobody can read."""
    stream = Ending([SHOP, ORDERS, LINES])
    with closing(DuckDbRowMapping(erp.mapping)) as mapping:
        ingest = TopicIngest(stream, mapping, erp.ledger, erp.ledger, erp)
        ingest.begin()
        stream.publish([OutgoingMessage(SHOP, "k", json.dumps(cancelled("1")).encode())])
        assert ingest.step(NOW, 0) == 1
        ((place, offset),) = erp.ledger.progress(ingest.source).positions.items()
        lose_what_was_committed(conninfo, {}, 0)
        stream.marks = {place: offset + 1}
        assert [ingest.step(NOW, 0) for _ in range(2)] == [0, 1]
    assert erp.ledger.progress(ingest.source).positions == {place: offset}


class Ending(MemoryMessageStream):
    """A stream that ends with marks of transactions."""

    marks: Mapping[Partition, int] = MappingProxyType({})

    def passed(self) -> dict[Partition, int]:
        passed, self.marks = self.marks, {}
        return dict(passed)


class Marked(Busy):
    """A busy stream with a partition that ends with the mark of a transaction."""

    def passed(self) -> dict[Partition, int]:
        return {Partition(ORDERS, 1): 2}


def test_positions_move_beyond_what_nobody_can_read_while_messages_come_all_the_time(
    erp: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "GATHER_SECONDS", 0.05)
    with closing(DuckDbRowMapping(erp.mapping)) as mapping:
        ingest = TopicIngest(Marked([SHOP, ORDERS, LINES]), mapping, erp.ledger, erp.ledger, erp)
        ingest.begin()
        assert ingest.step(NOW, 0) > 0
        assert erp.ledger.progress(ingest.source).positions[Partition(ORDERS, 1)] == 2
