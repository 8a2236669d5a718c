"""What every event store promises, held against each adapter."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier

import psycopg
import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore, MemoryInbox
from adapters.postgres import locks
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from application.ports.event_store import READ_BYTES, Batch, ConcurrencyConflictError, EventStore, NewEvent, Tracking
from application.ports.inbox import (
    Balance,
    Inbox,
    Outcome,
    QuarantineStatus,
    Reason,
    Receipt,
    Settlement,
)
from application.ports.message_stream import Partition

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Pair = tuple[EventStore, Inbox]


@pytest.fixture(params=["memory", "postgres"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "memory":
        database = MemoryDatabase()
        yield MemoryEventStore(database), MemoryInbox(database)
        return
    conninfo = request.getfixturevalue("conninfo")
    store = PostgresEventStore(conninfo, pool_size=1)
    with open_pool(conninfo) as pool:
        yield store, PostgresInbox(pool)
    store.close()


@pytest.fixture
def store(pair: Pair) -> EventStore:
    return pair[0]


@pytest.fixture
def inbox(pair: Pair) -> Inbox:
    return pair[1]


def event(stream: str, version: int, topic: str = "Tested.v1") -> NewEvent:
    return NewEvent(stream, version, topic, f"{stream}/{version}".encode())


def receipt(offset: int, message_id: str | None, outcome: Outcome = Outcome.APPLIED, **more: object) -> Receipt:
    return Receipt("orders", 0, offset, "k", b"payload", message_id, outcome, NOW, **more)  # type: ignore[arg-type]


def test_an_appended_event_is_loaded_as_it_was(store: EventStore) -> None:
    store.append(Batch(events=[NewEvent("order-Ä@1", 1, "Tested.v1", b"\x00\xff")]))
    [loaded] = store.load(["order-Ä@1"])["order-Ä@1"]
    assert (loaded.stream_id, loaded.version, loaded.topic, loaded.state) == (
        "order-Ä@1",
        1,
        "Tested.v1",
        b"\x00\xff",
    )


def test_many_streams_are_loaded_at_once_each_in_version_order(store: EventStore) -> None:
    store.append(Batch(events=[event("a", 1), event("b", 1), event("a", 2), event("c", 1), event("b", 2)]))
    loaded = store.load(["a", "b", "missing"])
    assert {s: [e.version for e in events] for s, events in loaded.items()} == {"a": [1, 2], "b": [1, 2]}


def test_a_version_that_exists_is_a_conflict_and_nothing_of_the_batch_is_kept(pair: Pair) -> None:
    store, inbox = pair
    store.append(Batch(events=[event("a", 1)]))
    with pytest.raises(ConcurrencyConflictError):
        store.append(
            Batch(
                events=[event("b", 1), event("a", 1)],
                receipts=[receipt(0, "s 1")],
                positions={Partition("orders", 0): 1},
                tracking=Tracking("reader", 1),
            )
        )
    assert store.load(["a", "b"]).keys() == {"a"}
    assert inbox.balance() == Balance(0, 0, 0, 0)
    assert inbox.positions() == {}
    assert store.checkpoint("reader") == 0


def test_a_batch_is_kept_after_the_one_before_it_or_not_at_all(pair: Pair) -> None:
    store, inbox = pair

    def batch(offset: int, after: Callable[[], None]) -> Batch:
        positions = {Partition("orders", 0): offset + 1}
        return Batch([event("a", offset + 1)], [receipt(offset, f"s {offset}")], positions=positions, after=after)

    def failed() -> None:
        raise ConnectionError("the batch before")

    with pytest.raises(ConnectionError, match="the batch before"):
        store.append(batch(0, failed))
    assert (store.head(), inbox.balance(), inbox.positions()) == (0, Balance(0, 0, 0, 0), {})

    def before() -> None:
        assert store.load(["a"]) == {}
        store.append(batch(0, lambda: None))

    store.append(batch(1, before))
    assert [(e.version, e.state) for e in store.load(["a"])["a"]] == [(1, b"a/1"), (2, b"a/2")]
    assert inbox.positions() == {Partition("orders", 0): 2}


def test_positions_that_went_back_are_a_conflict(pair: Pair) -> None:
    store, inbox = pair
    orders, catalog = Partition("orders", 0), Partition("catalog", 1)
    store.append(Batch(positions={orders: 5}, reached={orders: 0, catalog: 0}))
    store.append(Batch(positions={orders: 6, catalog: 2}, reached={orders: 4}))
    for lost in ({orders: 7}, {orders: 6, catalog: 3}, {Partition("orders", 1): 1}):
        with pytest.raises(ConcurrencyConflictError):
            store.append(Batch([event("a", 1)], positions={orders: 8}, reached=lost))
    assert (store.head(), inbox.positions()) == (0, {orders: 6, catalog: 2})
    store.append(Batch(positions={orders: 8}, reached={orders: 6, catalog: 2}))
    assert inbox.positions() == {orders: 8, catalog: 2}


def test_the_same_version_twice_in_a_batch_is_a_conflict(store: EventStore) -> None:
    with pytest.raises(ConcurrencyConflictError):
        store.append(Batch(events=[event("a", 1), event("a", 1)]))
    assert store.head() == 0


def test_reading_goes_on_from_a_position_in_append_order(store: EventStore) -> None:
    store.append(Batch(events=[event("b", 1), event("a", 1)]))
    store.append(Batch(events=[event("b", 2)]))
    first = store.read(0, 2)
    rest = store.read(first[-1].position, 10)
    assert [(e.stream_id, e.version) for e in first + rest] == [("b", 1), ("a", 1), ("b", 2)]
    assert rest[-1].position == store.head()
    assert store.read(store.head(), 10) == []


def test_large_events_come_in_smaller_pages_and_none_is_left_out(store: EventStore) -> None:
    share, whole = READ_BYTES // 5 * 2, READ_BYTES + 1
    sizes = [share, share, share, whole, share, 100]
    store.append(Batch(events=[event("a", n)._replace(state=bytes(size)) for n, size in enumerate(sizes, 1)]))
    pages: list[list[int]] = []
    after = 0
    while page := store.read(after, 10):
        assert [len(e.state) for e in page] == [sizes[e.version - 1] for e in page]
        pages.append([e.version for e in page])
        after = page[-1].position
    assert pages == [[1, 2], [3], [4], [5, 6]]


def test_reading_can_be_limited_to_topics(store: EventStore) -> None:
    store.append(
        Batch(
            events=[
                event("a", 1, "X.v1"),
                event("a", 2, "Y.v1"),
                event("a", 3, "X.v1"),
                event("a", 4, "Z.v1"),
            ]
        )
    )
    assert [e.version for e in store.read(0, 10, topics=["X.v1", "Z.v1"])] == [1, 3, 4]
    assert [e.version for e in store.read(0, 2, topics=["X.v1", "Z.v1"])] == [1, 3]


def test_an_empty_store_has_neither_head_nor_checkpoint(store: EventStore) -> None:
    assert (store.head(), store.checkpoint("reader"), store.read(0, 10), store.load([])) == (0, 0, [], {})


def test_tracking_moves_with_the_events_and_never_back(store: EventStore) -> None:
    store.append(Batch(events=[event("a", 1)], tracking=Tracking("reader", 5)))
    assert store.checkpoint("reader") == 5
    with pytest.raises(ConcurrencyConflictError):
        store.append(Batch(events=[event("a", 2)], tracking=Tracking("reader", 5)))
    assert len(store.load(["a"])["a"]) == 1


def test_of_50_writers_of_one_stream_exactly_one_wins_each_version(store: EventStore) -> None:
    writers, versions = 50, 3
    start = Barrier(writers)

    def write(writer: int) -> list[int]:
        won = []
        start.wait()
        for version in range(1, versions + 1):
            try:
                store.append(Batch(events=[NewEvent("a", version, "Tested.v1", str(writer).encode())]))
                won.append(version)
            except ConcurrencyConflictError:
                continue
        return won

    with ThreadPoolExecutor(writers) as threads:
        wins = [version for won in threads.map(write, range(writers)) for version in won]
    assert sorted(wins) == [1, 2, 3]
    assert [e.version for e in store.load(["a"])["a"]] == [1, 2, 3]


def test_a_writer_that_the_server_gives_up_in_a_deadlock_meets_a_conflict(conninfo: str) -> None:
    keep = "INSERT INTO bronze.messages VALUES ('orders', 1, %s, 'k', %s, NULL, 'applied', now(), '')"
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid' AND datname = current_database()"
    with (
        closing(PostgresEventStore(conninfo, pool_size=1)) as store,
        psycopg.connect(conninfo, autocommit=True) as watching,
        psycopg.connect(conninfo, options="-c deadlock_timeout=60s") as other,
        ThreadPoolExecutor(1) as thread,
    ):
        other.execute(keep, [0, "s 2"])
        appended = thread.submit(store.append, Batch(receipts=[receipt(0, "s 1"), receipt(1, "s 2")]))
        while watching.execute(waits).fetchone() != (1,):
            assert not appended.done()
        other.execute(keep, [1, "s 1"])
        with pytest.raises(ConcurrencyConflictError, match="deadlock"):
            appended.result()


def test_receipts_positions_and_balance_are_kept_with_the_events(pair: Pair) -> None:
    store, inbox = pair
    refused = Reason("InsufficientStock", "too few")
    store.append(
        Batch(
            events=[event("a", 1)],
            receipts=[
                receipt(0, "s 1"),
                receipt(1, "s 1", Outcome.DUPLICATE),
                receipt(2, None, Outcome.QUARANTINED, reason=refused, source="orders.csv:3"),
                receipt(3, "t 1"),
            ],
            positions={Partition("orders", 0): 4},
        )
    )
    assert inbox.balance() == Balance(received=4, applied=2, duplicate=1, quarantined=1)
    assert inbox.balance("s") == Balance(received=2, applied=1, duplicate=1, quarantined=0)
    assert inbox.positions() == {Partition("orders", 0): 4}
    assert inbox.seen(["s 1", "t 1", "u 1"]) == {"s 1", "t 1"}
    [kept] = inbox.quarantine()
    assert (kept.code, kept.detail, kept.source, kept.offset, kept.size) == (*refused, "orders.csv:3", 2, 7)
    assert inbox.payloads([kept.quarantine_id]) == {kept.quarantine_id: b"payload"}
    assert inbox.payloads([]) == inbox.payloads([kept.quarantine_id + 1]) == {}


def test_a_position_never_moves_back(pair: Pair) -> None:
    store, inbox = pair
    for positions in ({Partition("orders", 0): 4, Partition("orders", 1): 1}, {Partition("orders", 0): 3}):
        store.append(Batch(positions=positions))
    assert inbox.positions() == {Partition("orders", 0): 4, Partition("orders", 1): 1}


def test_the_key_of_a_message_is_kept_as_it_was(pair: Pair) -> None:
    store, inbox = pair
    why = Reason("NotJson", "no JSON")
    keys = [None, "", "order-Ä@1"]
    refused = [receipt(n, None, Outcome.QUARANTINED, reason=why)._replace(key=key) for n, key in enumerate(keys)]
    store.append(Batch(receipts=refused))
    assert [kept.key for kept in inbox.quarantine()] == keys


def test_a_message_taken_in_twice_is_a_conflict(pair: Pair) -> None:
    store, inbox = pair
    store.append(Batch(receipts=[receipt(0, "s 1")]))
    with pytest.raises(ConcurrencyConflictError):
        store.append(Batch(events=[event("a", 1)], receipts=[receipt(0, "s 2")]))
    with pytest.raises(ConcurrencyConflictError):
        store.append(Batch(events=[event("a", 1)], receipts=[receipt(1, "s 1")]))
    assert (store.head(), inbox.balance().received) == (0, 1)


def test_a_quarantined_message_is_settled_once(pair: Pair) -> None:
    store, inbox = pair
    why = Reason("UnknownOrder", "not placed")
    store.append(
        Batch(receipts=[receipt(n, f"s {n}", Outcome.QUARANTINED, reason=why, stream_id="order-1") for n in (0, 1)])
    )
    first, second = inbox.quarantine(status=QuarantineStatus.OPEN)
    assert inbox.waiting() == {"UnknownOrder": 2}
    retried = Settlement(first.quarantine_id, QuarantineStatus.RETRIED, "ops", "order arrived", NOW)
    store.append(Batch(events=[event("order-1", 1)], settlements=[retried]))
    store.append(
        Batch(settlements=[Settlement(second.quarantine_id, QuarantineStatus.DISCARDED, "ops", "a test", NOW)])
    )
    assert inbox.balance() == Balance(received=2, applied=1, duplicate=0, quarantined=1)
    assert [q.status for q in inbox.quarantine()] == [QuarantineStatus.RETRIED, QuarantineStatus.DISCARDED]
    assert inbox.waiting() == {}
    [discarded] = inbox.quarantine([second.quarantine_id], code="UnknownOrder", limit=1)
    assert (discarded.actor, discarded.note, discarded.settled_at) == ("ops", "a test", NOW)
    with pytest.raises(ConcurrencyConflictError):
        store.append(Batch(events=[event("order-1", 2)], settlements=[retried]))
    assert store.head() == inbox_head(store)


def inbox_head(store: EventStore) -> int:
    return store.read(0, 100)[-1].position


def test_a_reader_never_passes_over_an_open_transaction(conninfo: str) -> None:
    """A transaction that has its positions but has not committed holds back those that come after it."""
    store = PostgresEventStore(conninfo, pool_size=2)
    insert = (
        "INSERT INTO events.stored_events (originator_id, originator_version, topic, state) VALUES (%s, 1, 'T.v1', '')"
    )
    read: list[str] = []
    after = 0

    def read_on() -> None:
        nonlocal after
        for each in store.read(after, 100):
            read.append(each.stream_id)
            after = each.position

    def hold(write: Callable[[psycopg.Connection], object]) -> None:
        with ThreadPoolExecutor(1) as threads:
            with psycopg.connect(conninfo) as slow:
                write(slow)
                fast = threads.submit(store.append, Batch(events=[event(f"fast-{len(read)}", 1)]))
                with psycopg.connect(conninfo, autocommit=True) as watch:
                    while not watch.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                        assert not fast.done()
                read_on()
            fast.result()
        read_on()

    hold(lambda c: (c.execute("SELECT pg_advisory_xact_lock(%s)", [locks.APPEND]), c.execute(insert, ["slow-ours"])))
    hold(
        lambda c: (
            c.execute("LOCK TABLE events.stored_events IN EXCLUSIVE MODE"),
            c.execute(insert, ["slow-library"]),
        )
    )
    assert read == ["slow-ours", "fast-0", "slow-library", "fast-2"]
    store.close()
