"""Ingest on memory and on PostgreSQL: exactly once, with a balance that always holds."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import msgspec
import psycopg
import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore, MemoryInbox
from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.topic_log import PostgresTopicLog
from application import codec
from application.aggregates import INVENTORY, TOPICS
from application.ingest import decision, service
from application.ingest.duplicates import CLEAN_BATCHES
from application.ingest.messages import MAX_PAYLOAD, encode_command
from application.ingest.quarantine import AlreadySettledError, Quarantine, UnknownQuarantinedError
from application.ingest.service import Ingest, IngestSettings
from application.ports.event_store import (
    Batch,
    ConcurrencyConflictError,
    EventStore,
    NewEvent,
    RecordedEvent,
    StoreUnavailableError,
)
from application.ports.inbox import Balance, Inbox, QuarantineStatus, Reason, Settlement
from application.ports.message_stream import (
    MessageStream,
    OutgoingMessage,
    Partition,
    ReceivedMessage,
    StreamUnavailableError,
)
from domain.inventory.commands import ReceiveStock, ShipStock
from domain.inventory.events import StockReceived
from domain.order.commands import ConfirmOrder, OrderedLine, PlaceOrder
from domain.shipment.commands import DispatchShipment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Platform:
    store: EventStore
    inbox: Inbox
    stream: MessageStream
    conninfo: str = ""

    def ingest(
        self, batch_size: int = 100, store: EventStore | None = None, stream: MessageStream | None = None
    ) -> Ingest:
        settings = IngestSettings(batch_size, poll_seconds=0)
        return Ingest(store or self.store, self.inbox, stream or self.stream, lambda: NOW, settings)

    def quarantine(self) -> Quarantine:
        return Quarantine(self.store, self.inbox, lambda: NOW)

    def events(self) -> list[tuple[str, int, str]]:
        return sorted((e.stream_id, e.version, e.topic) for e in self.store.read(0, 100_000))


@pytest.fixture(params=["memory", "postgres"])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    if request.param == "memory":
        database = MemoryDatabase()
        yield Platform(MemoryEventStore(database), MemoryInbox(database), MemoryMessageStream(TOPICS))
        return
    conninfo = request.getfixturevalue("conninfo")
    with open_pool(conninfo) as pool:
        store, log = PostgresEventStore(conninfo, pool_size=1), PostgresTopicLog(pool, conninfo)
        yield Platform(store, PostgresInbox(pool), log, conninfo)
        store.close()
        log.close()


def received(number: int, *, product: str = "p1", quantity: int = 10, **more: Any) -> OutgoingMessage:
    command = ReceiveStock(product_id=product, location_id="main", occurred_at=NOW, quantity=quantity)
    return encode_command(command, message_id=str(number), source="test", **more)


def shipped(number: int, quantity: int, *, product: str = "p1") -> OutgoingMessage:
    command = ShipStock(product_id=product, location_id="main", occurred_at=NOW, quantity=quantity)
    return encode_command(command, message_id=str(number), source="test")


def an_order(product_id: str = "p1", **more: Any) -> bytes:
    line = OrderedLine(line_no=1, product_id=product_id, quantity=1, unit_price=Decimal(2))
    order = PlaceOrder(order_id="o1", occurred_at=NOW, customer_id="c1", currency="EUR", lines=(line,), **more)
    return encode_command(order, message_id="1", source="test").payload


def changed(message: OutgoingMessage, **attributes: Any) -> OutgoingMessage:
    envelope = msgspec.json.decode(message.payload) | attributes
    return message._replace(payload=msgspec.json.encode(envelope))


def test_messages_become_events_with_their_origin(platform: Platform) -> None:
    platform.stream.publish([received(1, correlation_id="po-7", actor="dock", origin_file="a.csv", origin_line=3)])
    assert platform.ingest().catch_up() == Balance(1, 1, 0, 0)
    [recorded] = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    event, metadata = codec.decode_with_metadata(*recorded)
    assert (event.quantity, event.on_hand, event.occurred_at) == (10, 10, NOW)
    assert metadata == codec.Metadata(NOW, "test 1", "po-7", "a.csv:3", "dock")


def test_a_batch_is_decided_in_order_on_the_states_it_makes_itself(platform: Platform) -> None:
    platform.stream.publish([received(1), shipped(2, 4), shipped(3, 6), shipped(4, 1)])
    assert platform.ingest().catch_up() == Balance(4, 3, 0, 1)
    assert [e[2] for e in platform.events()] == ["StockReceived.v1", "StockShipped.v1", "StockShipped.v1"]
    [refused] = platform.inbox.quarantine()
    assert refused.code == "InsufficientStock"
    assert refused.detail.startswith("inventory-p1@main: ")
    assert refused.source.startswith("inventory/")


def test_the_same_message_again_is_a_duplicate_in_a_batch_and_across_restarts(platform: Platform) -> None:
    platform.stream.publish([received(1), received(2), received(1)])
    assert platform.ingest().catch_up() == Balance(3, 2, 1, 0)
    platform.stream.publish([received(2), received(3)])
    assert platform.ingest().catch_up() == Balance(2, 1, 1, 0)
    assert platform.inbox.balance() == Balance(5, 3, 2, 0)
    assert len(platform.events()) == 3


def test_source_and_id_are_told_apart(platform: Platform) -> None:
    platform.stream.publish([changed(received(1), source="a", id="b/1"), changed(received(1), source="a/b", id="1")])
    assert platform.ingest().catch_up() == Balance(2, 2, 0, 0)
    assert platform.inbox.balance("a") == Balance(1, 1, 0, 0)


def test_a_backslash_before_u0000_is_text(platform: Platform) -> None:
    platform.stream.publish([received(1, actor=r"C:\u0000x"), received(2, actor="\x00")])
    assert platform.ingest().catch_up() == Balance(2, 1, 0, 1)
    assert platform.ingest().catch_up() == Balance(0, 0, 0, 0)
    platform.stream.publish([received(2, actor="\x00")])
    assert platform.ingest().catch_up() == Balance(1, 0, 1, 0)


def test_times_that_no_table_can_hold_are_refused_wherever_they_stand(platform: Platform) -> None:
    dispatch = DispatchShipment(shipment_id="1", occurred_at=NOW, eta=datetime(9999, 12, 31, tzinfo=UTC))
    confirm = ConfirmOrder(order_id="1", occurred_at=NOW, promised_date=date(9999, 12, 31))
    platform.stream.publish(
        [encode_command(c, message_id=str(n), source="t") for n, c in enumerate([dispatch, confirm])]
    )
    platform.ingest().catch_up()
    assert [q.code for q in platform.inbox.quarantine()] == ["TimeOutOfRange"] * 2


def test_a_key_with_nul_is_kept_readable(platform: Platform) -> None:
    if isinstance(platform.stream, PostgresTopicLog):
        platform.stream = MemoryMessageStream(TOPICS)
    platform.stream.publish([OutgoingMessage("inventory", "a\x00b", b"{")])
    assert platform.ingest().catch_up() == Balance(1, 0, 0, 1)
    assert [q.key for q in platform.inbox.quarantine()] == ["a\ufffdb"]


def test_a_refusal_on_a_state_that_another_writer_changed_is_decided_anew(platform: Platform) -> None:
    ingest = platform.ingest()
    platform.stream.publish([received(1, quantity=5), shipped(2, 5)])
    ingest.catch_up()
    [*_, last] = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    _, metadata = codec.decode_with_metadata(*last)
    more = StockReceived(
        occurred_at=NOW,
        product_id="p1",
        location_id="main",
        quantity=4,
        supplier_id=None,
        unit_cost=None,
        ordered_at=None,
        on_hand=4,
        reserved=0,
        quarantined=0,
    )
    state = codec.encode(more, metadata)
    platform.store.append(Batch(events=[NewEvent(last.stream_id, last.version + 1, more.TOPIC, state)]))
    platform.stream.publish([shipped(4, 4), shipped(5, 1)])
    assert ingest.catch_up() == Balance(2, 1, 0, 1)


def test_catching_up_gives_up_where_nothing_arrives(platform: Platform) -> None:
    class Retained(MemoryMessageStream):
        def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
            return []

    stream = Retained(TOPICS)
    stream.publish([received(1)])
    ingest = Ingest(platform.store, platform.inbox, stream, lambda: NOW, IngestSettings(10, 0, patience_seconds=0))
    with pytest.raises(StreamUnavailableError, match="1 messages are in the stream"):
        ingest.catch_up()


def test_the_same_id_from_another_source_is_another_message(platform: Platform) -> None:
    platform.stream.publish([received(1), changed(received(1), source="elsewhere")])
    assert platform.ingest().catch_up() == Balance(2, 2, 0, 0)


BROKEN: dict[str, tuple[str, bytes]] = {
    "not JSON": ("InvalidJson", b"{not json"),
    "empty": ("EmptyMessage", b""),
    "invalid UTF-8": ("InvalidJson", b'{"specversion":"1.0","id":"\xff"}'),
    "no envelope": ("InvalidEnvelope", b"[1,2]"),
    "too large": ("MessageTooLarge", b'"' + b"x" * MAX_PAYLOAD + b'"'),
    "unknown type": ("UnknownType", changed(received(1), type="dataflow.Nonsense.v1").payload),
    "future version": ("UnknownVersion", changed(received(1), type="dataflow.ReceiveStock.v2").payload),
    "wrong field type": ("InvalidData", received(1).payload.replace(b'"quantity":10', b'"quantity":"ten"')),
    "missing field": ("InvalidData", received(1).payload.replace(b'"quantity":10,', b"")),
    "out of range": ("InvalidQuantity", received(1, quantity=-1).payload),
    "beyond 64 bits": ("InvalidQuantity", received(1).payload.replace(b":10", b":" + b"9" * 30)),
    "no UTC offset": ("MissingOffset", received(1).payload.replace(b"12:00:00Z", b"12:00:00")),
    "in the future": ("TimeOutOfRange", received(1).payload.replace(b"2026-03-01T", b"2027-03-01T")),
    "before 1970": ("TimeOutOfRange", received(1).payload.replace(b"2026-03-01T", b"1926-03-01T")),
    "beyond the calendar": ("TimeOutOfRange", an_order(requested_date=date(2099, 12, 31))),
    "before the calendar": ("TimeOutOfRange", an_order(promised_date=date(1969, 12, 31))),
    "a country without end": ("TextTooLong", an_order(ship_to_country="x" * 201)),
    "a product of 201 letters": ("TextTooLong", an_order(product_id="p" * 201)),
    "too many bytes": ("TextTooLong", an_order(carrier_id="\N{BICYCLE}" * 151)),
    "NUL character": ("InvalidCharacter", received(1).payload.replace(b'"main"', b'"ma\\u0000in"')),
    "no identifier": ("InvalidIdentifier", received(1, product="").payload),
    "Latin-1 in data": ("InvalidData", received(1).payload.replace(b'"main"', b'"M\xfcnchen"')),
    "nested without end": ("InvalidJson", received(1).payload.replace(b'"main"', b"[" * 3_000 + b"]" * 3_000)),
    "source with a space": ("InvalidEnvelope", changed(received(1), source="a b").payload),
    "no message id": ("InvalidEnvelope", changed(received(1), id="").payload),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_message_is_quarantined_with_a_reason_and_holds_up_nobody(platform: Platform, kind: str) -> None:
    code, payload = BROKEN[kind]
    platform.stream.publish([received(8), OutgoingMessage("inventory", "k", payload), received(9)])
    assert platform.ingest().catch_up() == Balance(3, 2, 0, 1)
    [kept] = platform.inbox.quarantine()
    assert (kept.code, kept.status) == (code, QuarantineStatus.OPEN)
    assert platform.inbox.payloads([kept.quarantine_id]) == {kept.quarantine_id: payload}
    assert kept.detail
    assert len(platform.events()) == 2


def test_an_unexpected_failure_of_one_message_is_found_by_halving(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(state: Any, command: Any) -> tuple[Any, ...]:
        if command.quantity == 13:
            raise ZeroDivisionError("a bug")
        return INVENTORY.decide(state, command)

    whole = decision.decode_message

    def with_bug(message: Any) -> decision.Decoded:
        decoded = whole(message)
        assert decoded.aggregate is not None
        decoded.aggregate = replace(INVENTORY, decide=fails)
        return decoded

    monkeypatch.setattr("application.ingest.service.decode_message", with_bug)
    platform.stream.publish([received(n, product=f"p{n}", quantity=13 if n == 5 else 10) for n in range(20)])
    assert platform.ingest().catch_up() == Balance(20, 19, 0, 1)
    [kept] = platform.inbox.quarantine()
    assert (kept.code, kept.detail) == ("UnexpectedError", "ZeroDivisionError: a bug")
    assert len(platform.events()) == 19


class FailsOnce:
    """An event store whose next append fails, before or after it is kept."""

    def __init__(self, store: EventStore, *, kept: bool) -> None:
        self._store = store
        self._kept = kept
        self._failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, batch: Batch) -> None:
        if self._failed or self._kept:
            self._store.append(batch)
        if not self._failed:
            self._failed = True
            raise StoreUnavailableError("the connection broke")


@pytest.mark.parametrize("kept", [False, True], ids=["not kept", "kept"])
def test_a_commit_of_unknown_fate_neither_loses_nor_doubles(platform: Platform, kept: bool) -> None:
    platform.stream.publish([received(n, product=f"p{n}") for n in range(10)])
    ingest = platform.ingest(store=FailsOnce(platform.store, kept=kept))
    with pytest.raises(StoreUnavailableError):
        ingest.catch_up()
    ingest.catch_up()
    assert platform.inbox.balance() == Balance(10, 10, 0, 0)
    assert len(platform.events()) == 10


class FailsAt:
    """An event store that can't append what holds a certain stream, the first time."""

    def __init__(self, store: EventStore, stream_id: str, error: Exception) -> None:
        self._store = store
        self._stream_id = stream_id
        self._errors = [error]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, batch: Batch) -> None:
        if self._errors and any(event.stream_id == self._stream_id for event in batch.events):
            raise self._errors.pop()
        self._store.append(batch)


def test_batches_on_top_of_one_that_was_not_kept_are_not_kept_either(platform: Platform) -> None:
    platform.stream.publish([received(n, product=f"p{n}") for n in range(9)])
    ingest = platform.ingest(1, FailsAt(platform.store, "inventory-p4@main", StoreUnavailableError("away")))
    with pytest.raises(StoreUnavailableError):
        ingest.catch_up()
    kept = platform.inbox.balance().received
    assert kept == len(platform.events()) == sum(platform.inbox.positions().values()) < 9
    ingest.catch_up()
    assert platform.inbox.balance() == Balance(9, 9, 0, 0)
    assert [version for _, version, _ in platform.events()] == [1] * 9


class SlowCommit:
    """An event store that begins to append once it was asked for states so many times."""

    def __init__(self, store: EventStore, asked: int) -> None:
        self._store = store
        self._left = asked
        self._begin = Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load(self, stream_ids: Collection[str]) -> dict[str, list[RecordedEvent]]:
        found = self._store.load(stream_ids)
        self._left -= 1
        if not self._left:
            self._begin.set()
        return found

    def append(self, batch: Batch) -> None:
        assert self._begin.wait(10)
        self._store.append(batch)


class Marked:
    """A stream that ends with marks of transactions, which nobody can read."""

    def __init__(self, stream: MessageStream) -> None:
        self._stream = stream
        self.marks: dict[Partition, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def passed(self) -> dict[Partition, int]:
        passed, self.marks = self.marks, {}
        return passed


def lose_the_second(platform: Platform) -> None:
    """As after a failover to a server that did not have it yet, of which a pool of connections says nothing."""
    with psycopg.connect(platform.conninfo) as lost:
        lost.execute("DELETE FROM events.stored_events WHERE originator_id = 'inventory-p2@main'")
        lost.execute("DELETE FROM bronze.messages WHERE message_id = 'test 2'")
        lost.execute("UPDATE bronze.positions SET next_offset = 1")


@pytest.mark.parametrize("platform", ["postgres"], indirect=True)
def test_what_a_server_lost_of_the_last_commits_is_taken_in_again(platform: Platform) -> None:
    ingest = platform.ingest()
    for number in (1, 2):
        platform.stream.publish([received(number, product=f"p{number}")._replace(key="one partition")])
        ingest.catch_up()
    lose_the_second(platform)
    platform.stream.publish([received(3, product="p3")._replace(key="one partition")])
    ingest.catch_up()
    assert platform.inbox.balance() == Balance(3, 3, 0, 0)
    assert [(stream, version) for stream, version, _ in platform.events()] == [
        (f"inventory-p{number}@main", 1) for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("platform", ["postgres"], indirect=True)
def test_positions_do_not_move_beyond_what_a_server_lost(platform: Platform) -> None:
    stream = Marked(platform.stream)
    ingest = platform.ingest(stream=stream)
    platform.stream.publish([received(n, product=f"p{n}")._replace(key="one partition") for n in (1, 2)])
    ingest.catch_up()
    stream.marks = platform.inbox.positions()
    lose_the_second(platform)
    ingest.catch_up()
    assert platform.inbox.balance() == Balance(2, 2, 0, 0)


def test_what_is_being_committed_is_known_however_large_the_batches_are(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third is decided while the other two are on their way: each batch is asked about twice."""
    monkeypatch.setattr(service, "MAX_CACHED_STATES", 1)
    ingest = platform.ingest(1, SlowCommit(platform.store, 2 * 3))
    in_order = [received(1, quantity=5), received(2, product="p2"), shipped(3, 5)]
    platform.stream.publish([message._replace(key="one partition") for message in in_order])
    assert ingest.catch_up() == Balance(3, 3, 0, 0)


def test_a_batch_that_fails_is_isolated_and_those_on_top_of_it_follow_in_order(platform: Platform) -> None:
    platform.stream.publish([received(1, quantity=5), received(2, product="p2"), shipped(3, 2), shipped(4, 4)])
    ingest = platform.ingest(1, FailsAt(platform.store, "inventory-p2@main", ZeroDivisionError("a bug")))
    assert ingest.catch_up() == Balance(4, 2, 0, 2)
    assert {q.code for q in platform.inbox.quarantine()} == {"UnexpectedError", "InsufficientStock"}
    loaded = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    assert [codec.decode(*e).on_hand for e in loaded] == [5, 3]


class Overtaken:
    """An event store into which somebody else appends just before each of the first appends."""

    def __init__(self, store: EventStore, others: list[Batch]) -> None:
        self._store = store
        self._others = others

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, batch: Batch) -> None:
        if self._others:
            self._store.append(self._others.pop())
        self._store.append(batch)


def test_a_batch_that_another_writer_overtakes_is_decided_anew(platform: Platform) -> None:
    platform.stream.publish([received(1)])
    platform.ingest().catch_up()
    [first] = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    other = Overtaken(platform.store, [Batch(events=[NewEvent(*first._replace(version=2)[1:])])])
    platform.stream.publish([shipped(2, 4)])
    ingest = platform.ingest(store=other)
    assert ingest.catch_up() == Balance(1, 1, 0, 0)
    assert [v for _, v, _ in platform.events()] == [1, 2, 3]


@pytest.mark.parametrize("platform", ["postgres"], indirect=True)
def test_two_consumers_on_the_same_partitions_double_nothing(platform: Platform) -> None:
    platform.stream.publish([received(n, product=f"p{n}") for n in range(50)])
    with open_pool(platform.conninfo) as pool:
        logs = [PostgresTopicLog(pool, platform.conninfo) for _ in range(2)]
        consumers = [platform.ingest(10, stream=log) for log in logs]
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Ingest.catch_up, consumers))
    assert platform.inbox.balance() == Balance(50, 50, 0, 0)
    assert len(platform.events()) == 50


def test_a_retry_applies_a_keys_messages_in_their_original_order(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4), shipped(2, 5), received(3)])
    platform.ingest().catch_up()
    first, second = platform.inbox.quarantine()
    results = platform.quarantine().retry([second.quarantine_id], actor="ops")
    assert [(r.quarantine_id, r.reason) for r in results] == [
        (first.quarantine_id, None),
        (second.quarantine_id, None),
    ]
    loaded = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    assert [codec.decode(*e).on_hand for e in loaded] == [10, 6, 1]
    assert platform.inbox.balance() == Balance(3, 3, 0, 0)
    assert [q.status for q in platform.inbox.quarantine()] == [QuarantineStatus.RETRIED] * 2
    with pytest.raises(AlreadySettledError):
        platform.quarantine().retry([first.quarantine_id], actor="ops")


def test_a_corrected_message_counts_under_an_id_of_its_own(platform: Platform) -> None:
    platform.stream.publish([received(1), shipped(2, 40)])
    ingest = platform.ingest()
    assert ingest.catch_up() == Balance(2, 1, 0, 1)
    platform.stream.publish([shipped(2, 4)])
    assert ingest.catch_up() == Balance(1, 0, 1, 0)
    platform.stream.publish([shipped(3, 4)])
    assert ingest.catch_up() == Balance(1, 1, 0, 0)


class Keyless(MemoryMessageStream):
    """A stream whose producers give no keys."""

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        return [message._replace(key=None) for message in super().poll(limit, timeout)]


@pytest.mark.parametrize("stream", [MemoryMessageStream, Keyless], ids=["keys", "no keys"])
def test_a_retry_takes_no_messages_of_other_keys_along(platform: Platform, stream: type[MemoryMessageStream]) -> None:
    platform.stream, products = stream(TOPICS), ("p1", "p2", "p3")
    platform.stream.publish([shipped(n, 4, product=product) for n, product in enumerate(products)])
    platform.ingest().catch_up()
    platform.stream.publish([received(n, product=product) for n, product in enumerate(products, 10)])
    platform.ingest().catch_up()
    chosen = next(q for q in platform.inbox.quarantine() if q.stream_id == "inventory-p2@main")
    assert platform.quarantine().retry([chosen.quarantine_id], actor="ops") == [(chosen.quarantine_id, None)]
    left = platform.inbox.quarantine(status=QuarantineStatus.OPEN)
    assert sorted(q.stream_id or "" for q in left) == ["inventory-p1@main", "inventory-p3@main"]


def test_a_retry_that_is_refused_again_stays_open(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4)])
    platform.ingest().catch_up()
    [refused] = platform.inbox.quarantine()
    [result] = platform.quarantine().retry([refused.quarantine_id], actor="ops")
    assert result.reason is not None
    assert result.reason.code == refused.code
    assert platform.quarantine().show(refused.quarantine_id).status is QuarantineStatus.OPEN
    assert platform.inbox.balance() == Balance(1, 0, 0, 1)


def test_a_discarded_message_stays_quarantined_with_who_and_why(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4)])
    platform.ingest().catch_up()
    [refused] = platform.inbox.quarantine()
    platform.quarantine().discard([refused.quarantine_id], actor="ops", reason="a test order")
    kept = platform.quarantine().show(refused.quarantine_id)
    assert (kept.status, kept.actor, kept.note, kept.settled_at) == (
        QuarantineStatus.DISCARDED,
        "ops",
        "a test order",
        NOW,
    )
    assert platform.inbox.balance() == Balance(1, 0, 0, 1)
    with pytest.raises(AlreadySettledError):
        platform.quarantine().discard([refused.quarantine_id], actor="ops", reason="again")
    with pytest.raises(UnknownQuarantinedError):
        platform.quarantine().show(refused.quarantine_id + 1)


def test_business_times_a_little_ahead_are_taken(platform: Platform) -> None:
    ahead = ReceiveStock(product_id="p1", location_id="main", occurred_at=NOW + timedelta(hours=23), quantity=1)
    platform.stream.publish([encode_command(ahead, message_id="1", source="test")])
    assert platform.ingest().catch_up() == Balance(1, 1, 0, 0)


def test_conflicts_are_not_hidden_from_a_retry(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4), received(2)])
    platform.ingest().catch_up()
    [first] = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    overtaken = Overtaken(platform.store, [Batch(events=[NewEvent(*first._replace(version=2)[1:])])])
    [refused] = platform.inbox.quarantine()
    with pytest.raises(ConcurrencyConflictError):
        Quarantine(overtaken, platform.inbox, lambda: NOW).retry([refused.quarantine_id], actor="ops")
    assert platform.quarantine().show(refused.quarantine_id).status is QuarantineStatus.OPEN


def test_a_retry_that_another_writer_overtakes_is_decided_anew(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4), received(2)])
    platform.ingest().catch_up()
    [first] = platform.store.load(["inventory-p1@main"])["inventory-p1@main"]
    overtaken = Overtaken(platform.store, [Batch(events=[NewEvent(*first._replace(version=2)[1:])])])
    [refused] = platform.inbox.quarantine()
    quarantine = Quarantine(overtaken, platform.inbox, lambda: NOW, attempts=2)
    assert quarantine.retry([refused.quarantine_id], actor="ops") == [(refused.quarantine_id, None)]
    assert [v for _, v, _ in platform.events()] == [1, 2, 3]
    assert platform.inbox.balance() == Balance(2, 2, 0, 0)


def test_a_retry_passes_what_somebody_else_settled_meanwhile(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4), shipped(2, 4), received(3)])
    platform.ingest().catch_up()
    first, second = platform.inbox.quarantine()
    mine = Settlement(first.quarantine_id, QuarantineStatus.DISCARDED, "ann", "a test", NOW)
    overtaken = Overtaken(platform.store, [Batch(settlements=[mine])])
    results = Quarantine(overtaken, platform.inbox, lambda: NOW).retry([first.quarantine_id], actor="ops")
    reason = Reason("AlreadySettledError", "it was discarded meanwhile, by ann")
    assert results == [(first.quarantine_id, reason), (second.quarantine_id, None)]
    assert platform.inbox.balance() == Balance(3, 2, 0, 1)


def test_a_message_that_is_named_twice_is_discarded_once(platform: Platform) -> None:
    platform.stream.publish([shipped(1, 4)])
    platform.ingest().catch_up()
    [refused] = platform.inbox.quarantine()
    platform.quarantine().discard([refused.quarantine_id] * 2, actor="ops", reason="a test order")
    assert platform.quarantine().show(refused.quarantine_id).status is QuarantineStatus.DISCARDED


def test_duplicates_are_recognised_after_many_batches_without_any(platform: Platform) -> None:
    ingest = platform.ingest(batch_size=1)
    platform.stream.publish([received(n, product=f"p{n}") for n in range(3 * CLEAN_BATCHES)])
    assert ingest.catch_up() == Balance(24, 24, 0, 0)
    platform.stream.publish([received(3, product="p3"), received(24, product="p24"), received(7, product="p7")])
    assert ingest.catch_up() == Balance(3, 1, 2, 0)
    assert platform.inbox.balance() == Balance(27, 25, 2, 0)
    assert len(platform.events()) == 25


def test_batches_without_duplicates_are_no_longer_looked_up(platform: Platform) -> None:
    asked: list[Collection[str]] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(platform.inbox, name)

        def seen(self, message_ids: Collection[str]) -> set[str]:
            asked.append(message_ids)
            return platform.inbox.seen(message_ids)

    settings = IngestSettings(1, poll_seconds=0)
    ingest = Ingest(platform.store, Counting(), platform.stream, lambda: NOW, settings)
    platform.stream.publish([received(n, product=f"p{n}") for n in range(3 * CLEAN_BATCHES)])
    ingest.catch_up()
    assert len(asked) == CLEAN_BATCHES
    platform.stream.publish([received(0, product="p0")])
    ingest.catch_up()
    assert asked[-1] == {"test 0"}


def test_a_message_in_quarantine_names_its_stream_also_where_that_is_its_key(platform: Platform) -> None:
    broken = received(2).payload.replace(b'"quantity":10', b'"quantity":"ten"')
    platform.stream.publish([shipped(1, 4), OutgoingMessage("inventory", "inventory-p1@main", broken)])
    platform.ingest().catch_up()
    refused, undecodable = platform.inbox.quarantine()
    assert (refused.stream_id, undecodable.stream_id) == ("inventory-p1@main", None)
