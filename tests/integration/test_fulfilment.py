"""Fulfilment on a real database: many orders for few units, kills at every step, and the log run through again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from adapters.postgres.cases import PostgresCaseBook
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from application import codec
from application.ports.cases import CaseStatus
from application.ports.event_store import ConcurrencyConflictError
from tests.integration.struck_process import POINTS, run
from tests.unit.application.processes.house import dispatched, placed, planned, received, state_of, tell

ORDERS, STOCK = 100, 10


@pytest.fixture
def store(conninfo: str) -> Iterator[PostgresEventStore]:
    store = PostgresEventStore(conninfo, pool_size=4)
    yield store
    store.close()


def topics(store: PostgresEventStore) -> Counter[str]:
    return Counter(event.topic.rpartition(".v")[0] for event in store.read(0, 10_000))


def struck(conninfo: str, point: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "tests.integration.struck_process", conninfo, point], timeout=60, check=False
    ).returncode


def forget_checkpoint(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute("DELETE FROM events.notification_tracking WHERE application_name = 'fulfilment'")


def require_ten_got_it(store: PostgresEventStore) -> None:
    counted = topics(store)
    assert (counted["StockReserved"], counted["OrderLineAllocated"]) == (STOCK, STOCK)
    assert counted["OrderLineBackordered"] == ORDERS - STOCK
    stock, _ = state_of(store, "inventory-A@main")
    assert (stock.on_hand, stock.reserved, len(stock.reservations)) == (STOCK, STOCK, STOCK)
    for number in range(ORDERS):
        order, version = state_of(store, f"order-{number}")
        line = order.lines[1]
        assert (line.allocated, line.backordered, line.open) in {(1, 0, 0), (0, 1, 0)}
        assert version == 2, "each order is decided about once"


def test_of_100_concurrent_orders_for_10_units_exactly_10_get_it_whenever_the_process_is_killed(
    conninfo: str, store: PostgresEventStore
) -> None:
    tell(store, received("A", "main", STOCK))
    for number in range(8):
        tell(store, placed(str(number), ("A", 1), minutes=number))
    with ThreadPoolExecutor(4) as customers:
        orders = customers.map(
            lambda number: tell(store, placed(str(number), ("A", 1), minutes=number)), range(8, ORDERS)
        )
        for point in POINTS:
            assert struck(conninfo, point) == -signal.SIGKILL, point
        list(orders)
    run(conninfo)
    require_ten_got_it(store)

    forget_checkpoint(conninfo)
    assert run(conninfo) > 0
    require_ten_got_it(store)

    tell(store, received("A", "main", 5, minutes=ORDERS))
    run(conninfo)
    after = {number: state_of(store, f"order-{number}") for number in range(ORDERS)}
    late = [number for number, (_, version) in after.items() if version == 3]
    still = [number for number, (order, _) in after.items() if order.lines[1].backordered]
    assert len(late) == 5
    assert max(late) < min(still), "the oldest are served first"


def test_two_processes_at_once_decide_each_order_once(conninfo: str, store: PostgresEventStore) -> None:
    tell(store, received("A", "main", STOCK))
    for number in range(ORDERS):
        tell(store, placed(str(number), ("A", 1), minutes=number))

    def run_to_the_end(_: int) -> None:
        while True:
            try:
                run(conninfo)
            except ConcurrencyConflictError:
                continue
            return

    with ThreadPoolExecutor(2) as both:
        list(both.map(run_to_the_end, range(2)))
    require_ten_got_it(store)


def test_what_waits_survives_a_restart_and_what_was_refused_is_kept(conninfo: str, store: PostgresEventStore) -> None:
    tell(store, received("A", "main", STOCK), planned("S", "later", "main", (1, "A", 2)), dispatched("S"))
    tell(store, placed("1", ("A", 1)), planned("T", "1", "main", (1, "A", 9)), dispatched("T"))
    run(conninfo)
    with open_pool(conninfo) as pool:
        book = PostgresCaseBook(pool)
        assert [(case.status, case.code) for case in book.cases("fulfilment")] == [
            (CaseStatus.WAITING, "AggregateMissing"),
            (CaseStatus.PARKED, "ShippingExceedsRemaining"),
        ]
        assert store.checkpoint("fulfilment") == store.head() > 0
        tell(store, placed("later", ("A", 2)))
        run(conninfo)
        assert [case.event_id for case in book.cases("fulfilment")] == ["shipment-T:2"]
    stock, _ = state_of(store, "inventory-A@main")
    assert stock.on_hand == STOCK - 2
    shipped = [event for event in store.read(0, 1_000) if event.topic.startswith("StockShipped")]
    _, metadata = codec.decode_with_metadata(*shipped[0])
    assert (metadata.causation_id, metadata.source) == ("shipment-S:2", "process:fulfilment")
