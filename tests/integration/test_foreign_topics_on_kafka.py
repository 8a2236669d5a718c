"""Another system's topic on real brokers, read by its own name from the recorded positions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import NewTopic

from adapters.files.duckdb_row_mapping import DuckDbRowMapping
from adapters.kafka.connection import KafkaConnection
from adapters.kafka.message_stream import KafkaMessageStream
from adapters.memory.message_stream import MemoryMessageStream
from adapters.postgres.database import open_pool
from adapters.postgres.log_identity import TOPIC_LOG
from adapters.postgres.source_ledger import PostgresSourceLedger
from adapters.postgres.source_positions import move_positions
from application.aggregates import TOPICS
from application.ports.event_store import ConcurrencyConflictError
from application.ports.message_stream import MessageStream, Partition, RecreatedTopicError
from application.ports.source_ledger import Reading
from application.sources.topics import TopicIngest, UnknownTopicError, recorded_positions, source_of
from entrypoints.feeds import foreign_topics
from tests.acceptance.home import until
from tests.kafka_topics import QUICK, bootstrap, commit

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SELECT = "SELECT sku AS product_id, DATE '2026-05-01' AS occurred_at, name, _file FROM feed"


class Foreign(NamedTuple):
    """Another system's topic, a mapping of it, and where its messages go."""

    kafka: KafkaConnection
    topic: str
    conninfo: str
    mapping: Path
    published: MemoryMessageStream

    def say(self, skus: range) -> None:
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap})
        for sku in skus:
            producer.produce(self.topic, json.dumps({"sku": str(sku), "name": "Tea"}).encode(), key=str(sku))
        assert producer.flush(30) == 0

    @contextmanager
    def process(
        self, *, accept_recreated: bool = False, reread: bool = False
    ) -> Iterator[tuple[TopicIngest, MessageStream]]:
        """Begin as a new process does."""
        with closing(DuckDbRowMapping(self.mapping)) as rows, open_pool(self.conninfo) as pool:
            ledger = PostgresSourceLedger(pool)
            names = [str(table.topic) for table in rows.tables.values()]
            recorded = partial(recorded_positions, ledger, rows)
            again = [self.topic] if reread else []
            claim = partial(ledger.claim_topics, source_of(rows), accept_recreated=accept_recreated, reread=again)
            with foreign_topics(
                self.kafka, MemoryMessageStream, rows.name, names, positions=recorded, claim=claim
            ) as topics:
                ingest = TopicIngest(topics, rows, ledger, ledger, self.published)
                ingest.begin()
                yield ingest, topics

    def create_anew(self) -> None:
        """Delete the topic, and create one of the same name."""
        admin = self.kafka.admin()
        admin.delete_topics([self.topic])[self.topic].result(30)
        until(lambda: self.topic not in admin.list_topics(timeout=10).topics, "the topic is still there")
        admin.create_topics([NewTopic(self.topic, 2)])[self.topic].result(30)

    def keys(self) -> list[str]:
        return sorted(str(message.key) for message in self.published.poll(1_000, 0))


@pytest.fixture
def foreign(conninfo: str, tmp_path: Path) -> Iterator[Foreign]:
    topic = f"foreign-{uuid4().hex[:12]}"
    types = 'types = { sku = "VARCHAR", name = "VARCHAR" }'
    (tmp_path / "mapping.toml").write_text(f'name = "feed"\nzone = "UTC"\n[topics.feed]\ntopic = "{topic}"\n{types}\n')
    (tmp_path / "10_RegisterProduct.sql").write_text(SELECT)
    kafka = KafkaConnection(bootstrap(), f"{topic}-group", "never-", QUICK)
    admin = kafka.admin()
    admin.create_topics([NewTopic(topic, 2)])[topic].result(30)
    yield Foreign(kafka, topic, conninfo, tmp_path, MemoryMessageStream(TOPICS))
    admin.delete_topics([topic])[topic].result(30)


def test_a_topic_is_read_once_by_its_own_name(foreign: Foreign) -> None:
    for skus in (range(20), range(20, 25)):
        foreign.say(skus)
        with foreign.process() as (ingest, _):
            assert _read_all(ingest) == len(skus)
    assert foreign.keys() == sorted(f"product-{n}" for n in range(25))


def test_what_the_database_lost_of_the_last_commits_is_read_again(foreign: Foreign) -> None:
    """As after a failover to a server that did not have them yet, while the reader had nothing to read."""
    foreign.say(range(20))
    with foreign.process() as (ingest, _), psycopg.connect(foreign.conninfo, autocommit=True) as lost:
        assert _read_all(ingest) == 20
        lost.execute("DELETE FROM sources.positions")
        foreign.say(range(20, 40))
        assert _read_all(ingest) == 40
    assert foreign.keys() == sorted(f"product-{n}" for n in [*range(20), *range(40)])


def test_a_run_ends_at_what_can_be_read_while_a_transaction_is_open(
    foreign: Foreign, caplog: pytest.LogCaptureFixture
) -> None:
    producer = Producer({"bootstrap.servers": foreign.kafka.bootstrap, "transactional.id": foreign.topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    foreign.say(range(20))
    for partition in (0, 1):
        producer.produce(foreign.topic, b'{"sku": "99", "name": "Tea"}', partition=partition)
    assert producer.flush(30) == 0
    with foreign.process() as (ingest, _):
        assert _read_all(ingest) == 20
        ingest.goal().tell_held_back()
    assert "2 messages are not taken in yet" in caplog.text
    commit(foreign.kafka, producer, foreign.topic)
    with foreign.process() as (ingest, _):
        assert _read_all(ingest) == 2


def test_partitions_that_the_group_takes_away_and_hands_back_are_read_once(foreign: Foreign) -> None:
    """So it goes with a session that expired, while the brokers were out of reach or a batch took too long."""
    foreign.say(range(20))
    with foreign.process() as (ingest, topics):
        read = _read_all(ingest)
        with closing(_other_member(foreign)) as other:
            while not other.assignment():
                read += ingest.step(NOW, 0)
                other.poll(0.1)
            assert isinstance(topics, KafkaMessageStream)
            before = topics.assignments
        while topics.assignments == before:
            read += ingest.step(NOW, 0)
        foreign.say(range(20, 25))
        read += _read_all(ingest)
    assert read == 25
    assert foreign.keys() == sorted(f"product-{n}" for n in range(25))


def test_a_topic_that_was_created_anew_is_read_from_its_first_message_where_that_is_accepted(foreign: Foreign) -> None:
    foreign.say(range(20))
    with foreign.process() as (ingest, _):
        _read_all(ingest)
    foreign.create_anew()
    foreign.say(range(20, 60))
    with pytest.raises(RecreatedTopicError, match=f"{foreign.topic}: .* --accept-recreated"), foreign.process():
        pass
    assert foreign.keys() == sorted(f"product-{n}" for n in range(20))
    with foreign.process(accept_recreated=True) as (ingest, _):
        assert _read_all(ingest) == 40
    foreign.say(range(60, 65))
    with foreign.process() as (ingest, _):
        assert _read_all(ingest) == 5
    assert foreign.keys() == sorted(f"product-{n}" for n in range(20, 65))
    with open_pool(foreign.conninfo) as pool:
        assert sum(PostgresSourceLedger(pool).progress("topics/feed").positions.values()) == 65


def test_a_topic_is_read_again_from_its_first_message_where_that_is_asked_for(foreign: Foreign) -> None:
    foreign.say(range(20))
    with foreign.process() as (ingest, _):
        _read_all(ingest)
    with foreign.process(reread=True) as (ingest, _):
        assert _read_all(ingest) == 20
    foreign.say(range(20, 25))
    with foreign.process() as (ingest, _):
        assert _read_all(ingest) == 5
    with open_pool(foreign.conninfo) as pool:
        assert sum(PostgresSourceLedger(pool).progress("topics/feed").positions.values()) == 45


def test_a_topic_of_the_database_is_another_than_that_of_its_name_on_the_brokers(foreign: Foreign) -> None:
    with open_pool(foreign.conninfo) as pool:
        ledger = PostgresSourceLedger(pool)
        ledger.claim_topics("topics/feed", {foreign.topic: TOPIC_LOG.name})
        ledger.keep("topics/feed", [], {Partition(foreign.topic, 0): 7})
    foreign.say(range(20))
    with pytest.raises(RecreatedTopicError), foreign.process():
        pass
    with foreign.process(accept_recreated=True) as (ingest, _):
        assert _read_all(ingest) == 20


def test_what_was_read_of_a_topic_before_another_process_claimed_it_anew_moves_no_position(foreign: Foreign) -> None:
    """So it goes with one whose role was lost while it was busy: its offsets go on where those of the new one begin."""
    place = Partition(foreign.topic, 0)
    with open_pool(foreign.conninfo) as pool:
        slow, quick = PostgresSourceLedger(pool), PostgresSourceLedger(pool)
        slow.claim_topics("topics/feed", {foreign.topic: "old"})
        slow.keep("topics/feed", [], {place: 7}, {place: 0})
        assert quick.claim_topics("topics/feed", {foreign.topic: "new"}, accept_recreated=True) == {place: 7}
        with pytest.raises(ConcurrencyConflictError, match="created anew"):
            slow.keep("topics/feed", [], {place: 9}, {place: 7})
        with pytest.raises(ConcurrencyConflictError, match="created anew"), slow.stage("topics/feed") as staging:
            staging.finish(Reading(NOW, positions={place: 9}, read_from={place: 7}))
        assert quick.progress("topics/feed").positions == {place: 7}
        quick.keep("topics/feed", [], {place: 8}, {place: 7})
        slow.claim_topics("topics/feed", {foreign.topic: "new"})
        slow.keep("topics/feed", [], {place: 9}, {place: 8})


def test_a_topic_that_is_claimed_anew_while_a_position_moves_counts_on_from_where_it_moved_to(foreign: Foreign) -> None:
    place, ids = Partition(foreign.topic, 0), {foreign.topic: "old"}
    with open_pool(foreign.conninfo) as pool, ThreadPoolExecutor(1) as threads:
        ledger = PostgresSourceLedger(pool)
        ledger.claim_topics("topics/feed", ids)
        with (
            psycopg.connect(foreign.conninfo) as connection,
            psycopg.connect(foreign.conninfo, autocommit=True) as other,
        ):
            move_positions(connection, "topics/feed", {place: 9}, {}, ids)
            claimed = threads.submit(ledger.claim_topics, "topics/feed", {foreign.topic: "new"}, accept_recreated=True)
            until(lambda: other.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() == (), "it does not wait")
        assert claimed.result() == {place: 9}


def test_a_topic_that_nothing_was_read_from_may_be_created_anew(foreign: Foreign) -> None:
    with foreign.process() as (ingest, _):
        assert _read_all(ingest) == 0
    foreign.create_anew()
    foreign.say(range(3))
    with foreign.process() as (ingest, _):
        assert _read_all(ingest) == 3


def test_a_topic_that_is_created_while_a_process_begins_is_not_taken_for_the_one_before(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no id when the ids are asked for, so its offsets would count from the positions of the old one."""
    foreign.say(range(20))
    with foreign.process() as (ingest, _):
        _read_all(ingest)
    foreign.create_anew()
    foreign.say(range(20, 60))
    with monkeypatch.context() as patch:
        patch.setattr("adapters.kafka.topic_ids.read_topic_ids", lambda *_: {})
        with pytest.raises(UnknownTopicError, match=foreign.topic), foreign.process():
            pass
    with foreign.process(accept_recreated=True) as (ingest, _):
        assert _read_all(ingest) == 40


def test_what_another_process_took_in_meanwhile_is_not_taken_in_again(foreign: Foreign) -> None:
    """So it goes with one whose connection, and with it the role, was lost while it was busy."""
    foreign.say(range(20))
    with foreign.process() as (slow, topics):
        late = topics.poll(100, 30)
        while len(late) < 20:
            late += topics.poll(100, 30)
        assert isinstance(topics, KafkaMessageStream)
        topics.close()
        with foreign.process() as (quick, _):
            assert _read_all(quick) == 20
        with open_pool(foreign.conninfo) as pool:
            before = PostgresSourceLedger(pool).progress(slow.source)
            with pytest.raises(ConcurrencyConflictError, match="another process takes in topics/feed"):
                slow.take_in(late, NOW)
            assert PostgresSourceLedger(pool).progress(slow.source) == before


def _other_member(foreign: Foreign) -> Consumer:
    group = {"group.id": f"{foreign.kafka.group}-feed", "partition.assignment.strategy": "cooperative-sticky"}
    consumer = Consumer({"bootstrap.servers": foreign.kafka.bootstrap, **group})
    consumer.subscribe([foreign.topic])
    return consumer


def _read_all(ingest: TopicIngest) -> int:
    """Take in all that is there; return how many messages were read."""
    read = 0
    while ingest.goal().left():
        read += ingest.step(NOW, 5)
    return read
