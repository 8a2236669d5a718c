"""What every quarantine feed promises, held against each adapter; and the dead letters that rest on it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple

import psycopg
import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore, MemoryInbox, MemoryQuarantineFeed
from adapters.postgres import locks
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.migrate import migrate
from adapters.postgres.quarantine_feed import PostgresQuarantineFeed
from application.dead_letters import DeadLetterFeed
from application.ports.event_store import Batch, EventStore, NewEvent
from application.ports.inbox import Inbox, Outcome, Quarantined, QuarantineFeed, Reason, Receipt
from application.ports.message_stream import POLL_BYTES, StreamUnavailableError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Side(NamedTuple):
    store: EventStore
    inbox: Inbox
    feed: QuarantineFeed


@pytest.fixture(params=["memory", "postgres"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "memory":
        database = MemoryDatabase()
        yield Side(MemoryEventStore(database), MemoryInbox(database), MemoryQuarantineFeed(database))
        return
    conninfo = request.getfixturevalue("conninfo")
    with open_pool(conninfo) as pool:
        store = PostgresEventStore(conninfo)
        yield Side(store, PostgresInbox(pool), PostgresQuarantineFeed(pool))
        store.close()


def quarantined(*offsets: int) -> list[Receipt]:
    why = Reason("InvalidJson", "not JSON")
    return [
        Receipt("orders", 0, n, "key", b"{%d" % n, None, Outcome.QUARANTINED, NOW, None, f"orders/0@{n}", why)
        for n in offsets
    ]


class Topic:
    """Keeps what is published; may lose the acknowledgement."""

    def __init__(self) -> None:
        self.kept: list[Quarantined] = []
        self.payloads: list[bytes] = []
        self.most = 0
        self.fails = False

    def publish(self, messages: Sequence[tuple[Quarantined, bytes]]) -> None:
        self.kept += [message for message, _ in messages]
        self.payloads += [payload for _, payload in messages]
        self.most = max(self.most, sum(len(payload) for _, payload in messages))
        if self.fails:
            raise StreamUnavailableError("the acknowledgement was lost")

    def offsets(self) -> list[int]:
        return [message.offset for message in self.kept]


def drain(letters: DeadLetterFeed) -> int:
    return sum(iter(letters.step, 0))


def test_what_was_not_handed_on_is_pending_in_order(side: Side) -> None:
    assert (side.feed.pending(9), side.feed.pending_count()) == ([], 0)
    side.store.append(Batch(receipts=quarantined(0, 1, 2)))
    first, second, third = side.feed.pending(9)
    assert [q.quarantine_id for q in side.inbox.quarantine()] == [first, second, third]
    assert side.feed.pending(2) == [first, second]
    side.feed.mark([second])
    side.feed.mark([])
    assert (side.feed.pending(9), side.feed.pending_count()) == ([first, third], 2)
    side.feed.mark([first, second, third])
    assert (side.feed.pending(9), side.feed.pending_count()) == ([], 0)


def test_every_dead_letter_goes_out_once_as_it_was_received(side: Side) -> None:
    applied = Receipt("orders", 0, 99, "key", b"{}", "s 1", Outcome.APPLIED, NOW)
    side.store.append(Batch(receipts=[*quarantined(*range(7)), applied]))
    topic = Topic()
    letters = DeadLetterFeed(side.inbox, side.feed, topic.publish, batch_size=3)
    assert letters.waiting() == 7
    assert drain(letters) == 7
    assert topic.offsets() == list(range(7))
    assert topic.kept == side.inbox.quarantine()
    assert topic.payloads == [b"{%d" % n for n in range(7)]
    assert (drain(letters), letters.waiting()) == (0, 0)
    side.store.append(Batch(receipts=quarantined(7)))
    assert drain(DeadLetterFeed(side.inbox, side.feed, topic.publish)) == 1
    assert topic.offsets() == list(range(8))


def test_large_dead_letters_go_out_few_at_a_time(side: Side) -> None:
    large = [each._replace(payload=b"x" * (POLL_BYTES // 3)) for each in quarantined(*range(7))]
    side.store.append(Batch(receipts=[*large, *quarantined(7)]))
    topic = Topic()
    assert DeadLetterFeed(side.inbox, side.feed, topic.publish).step() == 8
    assert topic.offsets() == list(range(8))
    assert POLL_BYTES / 2 < topic.most <= POLL_BYTES


def test_dead_letters_that_were_not_acknowledged_go_out_again_under_their_id(side: Side) -> None:
    side.store.append(Batch(receipts=quarantined(0, 1)))
    topic = Topic()
    letters = DeadLetterFeed(side.inbox, side.feed, topic.publish)
    topic.fails = True
    with pytest.raises(StreamUnavailableError):
        letters.step()
    topic.fails = False
    assert drain(letters) == 2
    numbers = [message.quarantine_id for message in topic.kept]
    assert numbers == numbers[:2] * 2
    assert topic.offsets() == [0, 1, 0, 1]


def test_a_message_whose_transaction_commits_later_than_a_higher_id_is_not_passed_over(conninfo: str) -> None:
    store, topic = PostgresEventStore(conninfo), Topic()
    slow = Batch(events=[NewEvent("order-1", 1, "T.v1", b"{}")], receipts=quarantined(0))
    with open_pool(conninfo) as pool, ThreadPoolExecutor(1) as threads:
        inbox = PostgresInbox(pool)
        letters = DeadLetterFeed(inbox, PostgresQuarantineFeed(pool), topic.publish)
        with psycopg.connect(conninfo) as holder, psycopg.connect(conninfo, autocommit=True) as watch:
            holder.execute("SELECT pg_advisory_xact_lock(%s)", [locks.APPEND])
            held = threads.submit(store.append, slow)
            while not watch.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert not held.done()
            store.append(Batch(receipts=quarantined(1)))
            assert drain(letters) == 1
        held.result()
        assert drain(letters) == 1
        assert topic.offsets() == [1, 0]
        assert [message.offset for message in inbox.quarantine()] == [0, 1]
    store.close()


def test_a_database_from_before_hands_on_all_that_it_has(conninfo: str) -> None:
    store = PostgresEventStore(conninfo)
    with open_pool(conninfo) as pool:
        store.append(Batch(receipts=quarantined(0, 1)))
        with pool.connection() as connection:
            connection.execute("ALTER TABLE bronze.quarantine DROP COLUMN handed_on")
        for _ in range(2):
            migrate(conninfo)
            assert len(PostgresQuarantineFeed(pool).pending(9)) == 2
    store.close()
