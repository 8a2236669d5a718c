"""Brokers that lose what they had acknowledged: a log that was cut is told from one that is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Producer
from psycopg_pool import ConnectionPool

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.errors import PositionLostError
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.kafka.topics import TOPICS, ensure_topics, log_identity
from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.leader_epochs import PostgresLeaderEpochs
from adapters.postgres.log_identity import PostgresLogIdentity
from application.continued_log import ContinuedLog, own_offsets
from application.ingest.service import Ingest, IngestSettings
from application.ports.inbox import Balance
from application.ports.message_stream import LogIdentity, OutgoingMessage, Partition, ReceivedMessage
from deploy.services import native
from deploy.services.kafka import KAFKA
from deploy.services.process import free_port
from tests.acceptance.home import until
from tests.kafka_topics import QUICK, require_own_broker

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = 90.0
ORDERS, SHIPMENTS = Partition("orders", 0), Partition("shipments", 0)
STAYS = {"session.timeout.ms": "45000", "heartbeat.interval.ms": "100"}
"""Of a reader that mostly keeps its partitions while the broker is away; else it is given them again, in that time."""


class Broker:
    """A broker that can lose what it acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = native.start(KAFKA, folder)
        self._prefixes = (f"{number}-" for number in count(1))
        self._prefix = ""

    def begin(self) -> None:
        """Create all topics, empty, each of one partition."""
        self._prefix = next(self._prefixes)
        topics = [topic._replace(partitions=1) for topic in TOPICS]
        ensure_topics(self.connection("none").admin(), self._prefix, topics)

    def connection(self, group: str, properties: Mapping[str, str] = QUICK) -> KafkaConnection:
        """Return how to reach them."""
        return KafkaConnection(self._running.url, self._prefix + group, self._prefix, properties)

    def publish(self, place: Partition, *payloads: bytes) -> None:
        """Append messages to a topic of one partition."""
        with closing(KafkaMessageStream(self.connection("none"))) as stream:
            stream.publish([OutgoingMessage(place.topic, "key", payload) for payload in payloads])

    def abort(self, place: Partition) -> None:
        """Append messages of a transaction that is aborted: nobody reads them, nor the mark of its end."""
        producer = Producer({"bootstrap.servers": self._running.url, "transactional.id": "t", "log_level": 2})
        producer.init_transactions(PATIENCE)
        producer.begin_transaction()
        producer.produce(self._prefix + place.topic, b"aborted")
        producer.flush(PATIENCE)
        producer.abort_transaction(PATIENCE)

    def restart(self) -> None:
        """End it in order and start it again where it was: partitions have another leader epoch then."""
        self._start_again(int((self._folder / "port").read_text()))

    def cut(self, logs: Mapping[Partition, tuple[bytes, ...]]) -> None:
        """Lose all messages of partitions, and write others before anybody who reads them is back."""
        here = int((self._folder / "port").read_text())
        self._end()
        for place in logs:
            for file in (self._folder / "data" / f"{self._prefix}{place.topic}-{place.number}").iterdir():
                if file.name != "partition.metadata":
                    file.unlink()
        self._start_again(free_port())
        for place, payloads in logs.items():
            self.publish(place, *payloads)
        self._start_again(here)

    def end(self) -> None:
        """End it, and delete what it kept."""
        native.kill(self._running)
        shutil.rmtree(self._folder)

    def _start_again(self, port: int) -> None:
        self._end()
        until(lambda: free_port(port) == port, "the port was taken meanwhile")
        (self._folder / "port").write_text(str(port))
        self._running = native.start(KAFKA, self._folder)
        assert self._running.port == port

    def _end(self) -> None:
        native.end(KAFKA, self._running)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    require_own_broker()
    broker = Broker(tmp_path_factory.mktemp("cut") / "kafka")
    yield broker
    broker.end()


@pytest.fixture
def broker(running: Broker) -> Broker:
    running.begin()
    return running


@pytest.fixture
def database(conninfo: str) -> Iterator[Database]:
    with closing(PostgresEventStore(conninfo)) as store, open_pool(conninfo) as pool:
        yield Database(store, pool)


class Database:
    """Takes in from a broker, each time by a reader that knows what the database keeps."""

    def __init__(self, store: PostgresEventStore, pool: ConnectionPool) -> None:
        self._store = store
        self._pool = pool
        self.identity = PostgresLogIdentity(pool)
        self.inbox = PostgresInbox(pool)

    def take_in(self, broker: Broker) -> Balance:
        """Take in all that can be read; return what became of it."""
        connection = broker.connection("ingest")
        starts = self.identity.claim(named := _log(connection))
        epochs = PostgresLeaderEpochs(self._pool, starts)
        positions = partial(self._own_positions, starts)
        with closing(KafkaMessageStream(connection, positions, ids=named.topics, epochs=epochs)) as stream:
            ingest = Ingest(
                self._store,
                self.inbox,
                ContinuedLog(stream, starts),
                lambda: NOW,
                IngestSettings(patience_seconds=PATIENCE),
            )
            return ingest.catch_up()

    def read_again(self, broker: Broker, topic: str) -> Mapping[Partition, int]:
        """Have a topic read from its first message; return where its offsets count from."""
        return self.identity.switch(_log(broker.connection("none")), drained=False, reread=[topic])

    def _own_positions(self, starts: Mapping[Partition, int]) -> Mapping[Partition, int]:
        return own_offsets(self.inbox.positions(), starts)


def _log(connection: KafkaConnection) -> LogIdentity:
    return log_identity(connection.admin(), connection.topic_prefix)


class Reader:
    """Reads one topic, and knows where it stands and whose messages it read."""

    def __init__(self, broker: Broker, place: Partition) -> None:
        self.position = 0
        self.place = place
        self._epoch: int | None = None
        connection = broker.connection(place.topic, STAYS)
        self.stream = KafkaMessageStream(connection, lambda: {place: self.position}, [place.topic], epochs=self)

    def began(self, topic_id: str, number: int, epoch: int, offset: int) -> None:
        self._epoch = epoch

    def before(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> dict[Partition, int]:
        return {} if self._epoch is None or self.position not in positions.values() else {self.place: self._epoch}

    def take(self, count: int) -> list[bytes]:
        received: list[ReceivedMessage] = []
        while len(received) < count:
            received += (polled := self.stream.poll(100, PATIENCE))
            assert polled
        self.position = received[-1].offset + 1
        return [message.payload for message in received]

    def pass_to(self, end: int) -> None:
        def passes() -> bool:
            assert self.stream.poll(100, 0.1) == []
            return self.stream.passed() == {self.place: end}

        until(passes, "the end is not reached")
        self.position, self._epoch = end, None


def numbered(text: str, count: int) -> tuple[bytes, ...]:
    return tuple(f"{text} {number}".encode() for number in range(count))


def broken(count: int) -> Balance:
    return Balance(count, 0, 0, count)


def test_a_reader_notices_that_what_it_read_was_lost_and_written_anew(broker: Broker) -> None:
    broker.publish(ORDERS, *numbered("old", 10))
    broker.publish(SHIPMENTS, *numbered("old", 10))
    orders, shipments = Reader(broker, ORDERS), Reader(broker, SHIPMENTS)
    with closing(orders.stream), closing(shipments.stream):
        for reader in (orders, shipments):
            assert reader.take(10) == list(numbered("old", 10))
        broker.cut({ORDERS: numbered("new", 30), SHIPMENTS: numbered("new", 3)})
        with pytest.raises(PositionLostError, match=r"orders/0 was cut before .* 10 .*ingest topics --reread orders`"):
            orders.take(1)
        with pytest.raises(PositionLostError, match=r"position of \S*shipments/0 is 10, but its log ends at 3"):
            shipments.take(1)


def test_a_reader_goes_on_where_leaders_change_behind_what_is_no_message(broker: Broker) -> None:
    reader = Reader(broker, ORDERS)
    with closing(reader.stream):
        broker.publish(ORDERS, b"one", b"two")
        assert reader.take(2) == [b"one", b"two"]
        broker.restart()
        broker.abort(ORDERS)
        reader.pass_to(4)
        broker.restart()
        broker.publish(ORDERS, b"three")
        assert reader.take(1) == [b"three"]


def test_a_database_knows_that_what_it_took_in_was_lost_and_reads_the_topic_again(
    broker: Broker, database: Database
) -> None:
    broker.publish(ORDERS, *numbered("old", 10))
    assert database.take_in(broker) == broken(10)
    broker.restart()
    broker.publish(ORDERS, *numbered("later", 5))
    assert database.take_in(broker) == broken(5)
    broker.abort(SHIPMENTS)
    assert database.take_in(broker) == broken(0)
    broker.cut({ORDERS: numbered("new", 30)})
    for _ in range(2):
        with pytest.raises(PositionLostError, match=r"orders/0 was cut before .* 15 .*switch-log --reread orders`"):
            database.take_in(broker)
        assert database.inbox.positions()[ORDERS] == 15

    assert database.read_again(broker, "orders") == {ORDERS: 15}
    assert database.take_in(broker) == broken(30)
    broker.publish(SHIPMENTS, b"behind what is no message")
    assert database.take_in(broker) == broken(1)
    assert database.inbox.positions() == {ORDERS: 45, SHIPMENTS: 3}
