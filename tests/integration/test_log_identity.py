"""Positions count in one log: a database refuses another one, until it is moved there with nothing left behind."""

from collections.abc import Iterator

import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.database import open_pool
from adapters.postgres.leader_epochs import PostgresLeaderEpochs
from adapters.postgres.log_identity import (
    TOPIC_LOG,
    OtherLogError,
    PostgresLogIdentity,
    RecreatedTopicError,
    UndrainedLogError,
)
from application.ports.message_stream import LogIdentity, Partition

KAFKA = LogIdentity("the Kafka cluster A", {"orders": "O1", "shipments": "S1"})
ANEW = LogIdentity(KAFKA.name, {"orders": "O2", "shipments": "S2"})
OTHER = LogIdentity("the Kafka cluster B", {"orders": "O3"})


@pytest.fixture
def pool(conninfo: str) -> Iterator[ConnectionPool]:
    with open_pool(conninfo) as pool:
        yield pool


@pytest.fixture
def identity(pool: ConnectionPool) -> PostgresLogIdentity:
    return PostgresLogIdentity(pool)


def publish(pool: ConnectionPool, end: int) -> None:
    with pool.connection() as connection:
        connection.execute(
            "UPDATE stream.partitions SET next_offset = %s WHERE topic = 'orders' AND partition = 1", [end]
        )


def take_in(pool: ConnectionPool, position: int, partition: int = 1) -> None:
    with pool.connection() as connection:
        connection.execute(
            "INSERT INTO bronze.positions VALUES ('orders', %s, %s) "
            "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
            [partition, position],
        )


def test_an_unused_database_takes_any_log(identity: PostgresLogIdentity) -> None:
    for name in (TOPIC_LOG, KAFKA, OTHER, TOPIC_LOG, TOPIC_LOG):
        assert identity.claim(name) == {}


@pytest.mark.parametrize("claimed", [True, False])
def test_positions_of_the_topic_log_are_not_taken_for_those_of_kafka(
    pool: ConnectionPool, identity: PostgresLogIdentity, claimed: bool
) -> None:
    if claimed:
        identity.claim(TOPIC_LOG)
    publish(pool, 5)
    take_in(pool, 5)
    with pytest.raises(
        OtherLogError, match=rf"takes in from {TOPIC_LOG.name}, but the settings name {KAFKA.name}.*switch-log"
    ):
        identity.claim(KAFKA)
    assert identity.claim(TOPIC_LOG) == {}


def test_messages_that_wait_in_the_topic_log_are_not_left_there(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    identity.claim(TOPIC_LOG)
    publish(pool, 5)
    with pytest.raises(OtherLogError):
        identity.claim(KAFKA)
    take_in(pool, 3)
    with pytest.raises(UndrainedLogError, match="2 messages wait in the topic log"):
        identity.switch(KAFKA, drained=True)


def test_positions_of_one_kafka_are_not_taken_for_those_of_another(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    identity.claim(KAFKA)
    take_in(pool, 5)
    for name in (OTHER, TOPIC_LOG):
        with pytest.raises(OtherLogError):
            identity.claim(name)
    assert identity.claim(KAFKA) == {}


def test_a_database_from_before_is_one_of_the_kafka_that_it_is_used_with(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    take_in(pool, 5)
    assert identity.claim(KAFKA) == {}
    with pytest.raises(OtherLogError):
        identity.claim(OTHER)


def test_a_database_that_is_moved_counts_on(pool: ConnectionPool, identity: PostgresLogIdentity) -> None:
    publish(pool, 5)
    take_in(pool, 5)
    assert identity.switch(KAFKA, drained=False) == {Partition("orders", 1): 5}
    assert identity.switch(KAFKA, drained=False) == identity.claim(KAFKA) == {Partition("orders", 1): 5}
    with pytest.raises(OtherLogError):
        identity.claim(TOPIC_LOG)
    take_in(pool, 9)
    take_in(pool, 2, partition=0)
    with pytest.raises(UndrainedLogError, match="--drained"):
        identity.switch(OTHER, drained=False)
    moved = {Partition("orders", 1): 9, Partition("orders", 0): 2}
    assert identity.switch(OTHER, drained=True) == identity.claim(OTHER) == moved


def test_positions_of_a_topic_are_not_taken_for_those_of_its_successor(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    identity.claim(KAFKA)
    take_in(pool, 5)
    with pytest.raises(RecreatedTopicError, match=r"^orders of the Kafka cluster A: deleted.*switch-log"):
        identity.claim(ANEW)
    with pytest.raises(RecreatedTopicError):
        identity.claim(ANEW)
    assert identity.claim(KAFKA) == {}
    moved = {Partition("orders", 1): 5}
    assert identity.switch(ANEW, drained=False) == moved
    assert identity.switch(ANEW, drained=False) == identity.claim(ANEW) == moved
    take_in(pool, 6)
    with pytest.raises(RecreatedTopicError):
        identity.claim(KAFKA)


def test_a_topic_that_nothing_was_read_of_may_be_created_anew(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    identity.claim(KAFKA)
    assert identity.claim(ANEW) == {}
    take_in(pool, 5)
    with pytest.raises(RecreatedTopicError):
        identity.claim(KAFKA)


def test_topics_of_a_database_from_before_ids_were_kept_are_those_that_it_is_used_with(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    identity.claim(LogIdentity(KAFKA.name))
    take_in(pool, 5)
    assert identity.claim(KAFKA) == {}
    with pytest.raises(RecreatedTopicError):
        identity.claim(ANEW)


def test_a_moved_log_whose_topic_is_created_anew_counts_on_once_more(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    take_in(pool, 5)
    take_in(pool, 3, partition=0)
    identity.claim(OTHER)
    identity.switch(KAFKA, drained=True)
    take_in(pool, 9)
    moved = {Partition("orders", 1): 9, Partition("orders", 0): 3}
    assert identity.switch(ANEW, drained=False) == identity.claim(ANEW) == moved


def test_a_topic_that_is_to_be_read_again_counts_on_from_its_positions(
    pool: ConnectionPool, identity: PostgresLogIdentity
) -> None:
    identity.claim(KAFKA)
    take_in(pool, 5)
    take_in(pool, 3, partition=0)
    again = {Partition("orders", 1): 5, Partition("orders", 0): 3}
    assert identity.switch(KAFKA, drained=False, reread=["shipments"]) == {}
    epochs = PostgresLeaderEpochs(pool, again)
    epochs.began("O1", 1, epoch=9, offset=4)
    assert identity.switch(KAFKA, drained=False, reread=["orders"]) == identity.claim(KAFKA) == again
    with pool.connection() as connection:
        assert connection.execute("SELECT FROM bronze.leader_epochs").fetchall() == []
    take_in(pool, 9)
    assert identity.switch(KAFKA, drained=False) == again
