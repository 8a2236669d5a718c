"""The database keeps where the messages of each leader begin, and knows of a position what is right before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from psycopg_pool import ConnectionPool

from adapters.postgres.database import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.leader_epochs import PostgresLeaderEpochs
from application.ports.event_store import Batch
from application.ports.inbox import Outcome, Receipt
from application.ports.message_stream import Partition

ORDERS, OTHERS = Partition("orders", 0), Partition("orders", 1)
IDS = {"orders": "O1"}


@pytest.fixture
def pool(conninfo: str) -> Iterator[ConnectionPool]:
    with open_pool(conninfo) as pool:
        yield pool


@pytest.fixture
def epochs(pool: ConnectionPool) -> PostgresLeaderEpochs:
    return PostgresLeaderEpochs(pool, {})


@pytest.fixture(autouse=True)
def received(conninfo: str) -> None:
    """Messages at the offsets 0 to 9 of one partition, and at 4 of the other."""
    with closing(PostgresEventStore(conninfo)) as store:
        store.append(Batch(receipts=[receipt(ORDERS, offset) for offset in range(10)] + [receipt(OTHERS, 4)]))


def receipt(place: Partition, offset: int) -> Receipt:
    received_at = datetime(2026, 3, 1, tzinfo=UTC)
    return Receipt(*place, offset, "key", b"{}", f"{place.number}/{offset}", Outcome.DUPLICATE, received_at)


def test_the_epoch_before_a_position_is_that_of_the_last_leader_that_began_by_then(
    epochs: PostgresLeaderEpochs,
) -> None:
    for epoch, first in ((3, 2), (5, 7)):
        epochs.began("O1", 0, epoch, first)
    found = {position: epochs.before({ORDERS: position}, IDS) for position in (0, 2, 3, 7, 8, 10)}
    assert found == {0: {}, 2: {}, 3: {ORDERS: 3}, 7: {ORDERS: 3}, 8: {ORDERS: 5}, 10: {ORDERS: 5}}


def test_each_partition_has_leaders_of_its_own(epochs: PostgresLeaderEpochs) -> None:
    epochs.began("O1", 0, 1, 0)
    epochs.began("O1", 1, 2, 0)
    assert epochs.before({ORDERS: 10, OTHERS: 5}, IDS) == {ORDERS: 1, OTHERS: 2}


def test_where_no_message_is_right_before_a_position_nothing_is_known(epochs: PostgresLeaderEpochs) -> None:
    for place in (ORDERS, OTHERS):
        epochs.began("O1", place.number, 1, 0)
    assert epochs.before({ORDERS: 11, OTHERS: 4}, IDS) == {}


def test_the_first_offset_that_anybody_saw_of_a_leader_counts(epochs: PostgresLeaderEpochs) -> None:
    for first in (5, 3, 8):
        epochs.began("O1", 0, 1, first)
    assert (epochs.before({ORDERS: 3}, IDS), epochs.before({ORDERS: 4}, IDS)) == ({}, {ORDERS: 1})


def test_after_a_cut_the_later_leader_counts(epochs: PostgresLeaderEpochs) -> None:
    for epoch, first in ((1, 0), (2, 6), (3, 4)):
        epochs.began("O1", 0, epoch, first)
    assert [epochs.before({ORDERS: position}, IDS)[ORDERS] for position in (4, 5, 8)] == [1, 3, 3]


def test_offsets_are_those_of_the_brokers(pool: ConnectionPool) -> None:
    continued = PostgresLeaderEpochs(pool, {ORDERS: 6})
    continued.began("O1", 0, 1, 1)
    found = [continued.before({ORDERS: position}, IDS) for position in (0, 1, 2, 4, 5)]
    assert found == [{}, {}, {ORDERS: 1}, {ORDERS: 1}, {}]


def test_a_topic_of_another_id_or_of_none_has_no_leaders(epochs: PostgresLeaderEpochs) -> None:
    epochs.began("O1", 0, 1, 0)
    assert [epochs.before({ORDERS: 10}, ids) for ids in ({"orders": "O2"}, {}, IDS)] == [{}, {}, {ORDERS: 1}]
