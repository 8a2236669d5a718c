"""Fulfilment behind orders that are placed: reserve, allocate or back-order, beside raw COPY and the library."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing import get_context
from random import Random
from typing import Any, NamedTuple

import psycopg

from adapters.postgres.cases import PostgresCaseBook
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from application import codec
from application.aggregates import AGGREGATE_OF_COMMAND
from application.ports.event_store import Batch, NewEvent
from application.process_runner.fulfilling import BATCH, Fulfilling
from application.process_runner.runner import Runner
from benchmarks.library_process import orders_per_second
from benchmarks.measure import Result, median, seconds, server, spread
from domain.inventory.commands import ReceiveStock
from domain.order.commands import OrderedLine, PlaceOrder
from entrypoints.pipeline import tune_interpreter

PRODUCTS, LOCATIONS = 150, 3
UNITS = 1_000
"""Units of each product at each location: so many that a part of the lines has to wait."""
ORDERS, LINES, ROUNDS = 20_000, 5, 3
LIBRARY_ORDERS = 300
CHUNK = 10_000
AT = datetime(2026, 1, 1, tzinfo=UTC)
Lines = list[tuple[str, int]]
_COLUMNS = "originator_id, originator_version, topic, state"


class Ran(NamedTuple):
    """What the process did: seconds from its first read to its last commit, events, and its peak memory."""

    seconds: float
    events: int
    peak_mb: float


def fulfilment() -> list[Result]:
    """Let fulfilment catch up with orders that were placed, on fresh databases of one server."""
    orders = _orders(Random(7))  # noqa: S311 - nothing here is a secret
    stock = [(f"P{number:03d}", UNITS * LOCATIONS) for number in range(PRODUCTS)]
    rates, copy_rates = [], []
    with server() as fresh:
        for _ in range(ROUNDS):
            conninfo = fresh()
            head = _place(conninfo, orders)
            ran = _in_a_process(conninfo)
            backordered = _require_sound(conninfo)
            rates.append(ORDERS / ran.seconds)
            copy_rates.append(ORDERS / _copy(fresh(), _events_after(conninfo, head)))
        library = orders_per_second(fresh(), stock, orders[:LIBRARY_ORDERS])
    value, baseline = median(rates), median(copy_rates)
    detail: dict[str, object] = {
        "orders": ORDERS,
        "lines": ORDERS * LINES,
        "stocks": PRODUCTS * LOCATIONS,
        "lines_backordered": backordered,
        "events": ran.events,
        "events_per_second": round(value * ran.events / ORDERS),
        "rounds": spread(rates),
        "baseline_rounds": spread(copy_rates),
        "library_orders_per_second": round(library),
        "ratio_to_library": round(value / library, 1),
        "peak_memory_mb": round(ran.peak_mb),
    }
    beside = f"raw COPY of the events that it appended: {baseline:,.0f} orders/s"
    return [Result("processes.fulfilment", round(value), "orders/s", beside, round(value / baseline, 3), detail)]


def _orders(chance: Random) -> list[Lines]:
    products = [f"P{number:03d}" for number in range(PRODUCTS)]
    return [[(product, chance.randint(1, 9)) for product in chance.sample(products, LINES)] for _ in range(ORDERS)]


def _place(conninfo: str, orders: Iterable[Lines]) -> int:
    """Append the receipts of all stocks and the orders, as ingest does; return the position of the last."""
    commands: list[Any] = [
        ReceiveStock(product_id=f"P{product:03d}", location_id=f"L{location}", occurred_at=AT, quantity=UNITS)
        for product in range(PRODUCTS)
        for location in range(LOCATIONS)
    ]
    commands += [
        PlaceOrder(order_id=f"{number:07d}", occurred_at=AT, customer_id="C", currency="EUR", lines=_lines(lines))
        for number, lines in enumerate(orders)
    ]
    store = PostgresEventStore(conninfo)
    for start in range(0, len(commands), CHUNK):
        store.append(Batch(events=[_first_event(command) for command in commands[start : start + CHUNK]]))
    head = store.head()
    store.close()
    return head


def _lines(lines: Lines) -> tuple[OrderedLine, ...]:
    return tuple(
        OrderedLine(line_no=number, product_id=product, quantity=units, unit_price=Decimal("9.90"))
        for number, (product, units) in enumerate(lines, 1)
    )


def _first_event(command: Any) -> NewEvent:
    aggregate = AGGREGATE_OF_COMMAND[type(command)]
    (event,) = aggregate.decide(None, command)
    metadata = codec.Metadata(AT, "benchmark", "benchmark", "benchmark")
    return NewEvent(aggregate.stream_of(command), 1, event.TOPIC, codec.encode(event, metadata))


def _in_a_process(conninfo: str) -> Ran:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(_run, conninfo).result()


def _run(conninfo: str) -> Ran:
    tune_interpreter()
    store = PostgresEventStore(conninfo)
    with open_pool(conninfo) as pool:
        runner = Runner(Fulfilling(store), store, PostgresCaseBook(pool), lambda: datetime.now(UTC))
        before = store.head()
        elapsed = seconds(runner.run)
        events = store.head() - before
    store.close()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Ran(elapsed, events, kilobytes / (1e6 if sys.platform == "darwin" else 1e3))


def _require_sound(conninfo: str) -> int:
    """Check every stock after every event, and that each line got all or waits; return how many lines wait."""
    store = PostgresEventStore(conninfo)
    settled: Counter[tuple[str, int]] = Counter()
    position = waiting = 0
    while events := store.read(position, CHUNK):
        for each in events:
            event = codec.decode(*each)
            if each.stream_id.startswith("inventory-"):
                assert event.on_hand >= event.reserved + event.quarantined >= event.quarantined >= 0, each
            elif type(event).__name__ in {"OrderLineAllocated", "OrderLineBackordered"}:
                settled[each.stream_id, event.line_no] += event.quantity
                waiting += type(event).__name__ == "OrderLineBackordered"
                assert event.open == 0 or type(event).__name__ == "OrderLineAllocated", each
        position = events[-1].position
    store.close()
    assert len(settled) == ORDERS * LINES, len(settled)
    return waiting


def _events_after(conninfo: str, head: int) -> list[bytes]:
    """Return the events after a position as binary COPY data, in parts of the size of the process's batches."""
    size = BATCH * LINES * 2
    parts = []
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
        assert row is not None
        for first in range(head + 1, row[0] + 1, size):
            query = (
                f"COPY (SELECT {_COLUMNS} FROM events.stored_events WHERE notification_id BETWEEN {first} "
                f"AND {first + size - 1} ORDER BY notification_id) TO STDOUT (FORMAT BINARY)"
            )
            with connection.cursor().copy(query.encode()) as copy:
                parts.append(b"".join(bytes(part) for part in copy))
    return parts


def _copy(conninfo: str, parts: list[bytes]) -> float:
    """Send the events into a fresh database, a transaction a part; return the seconds."""
    statement = f"COPY events.stored_events ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"

    def send() -> None:
        for part in parts:
            with connection.cursor().copy(statement.encode()) as copy:
                copy.write(part)

    with psycopg.connect(conninfo, autocommit=True) as connection:
        return seconds(send)


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"processes.fulfilment": fulfilment}
