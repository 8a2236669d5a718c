"""Which partitions brokers compare, and with what."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")

from confluent_kafka import KafkaError, Message
from confluent_kafka.admin import AdminClient

from adapters.kafka.leader_epochs import EpochsRead
from adapters.kafka.log_offsets import Place
from adapters.kafka.topic_ids import KnownTopics, Remedies
from application.ports.message_stream import Partition

NAMES = {"a-orders": "orders", "a-catalog": "catalog"}
NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
FIRST, SECOND, CATALOG = ("a-orders", 0), ("a-orders", 1), ("a-catalog", 0)


class Kept:
    """Keeps epochs as a database does, of one that loses nothing."""

    def __init__(self) -> None:
        self.began_at: list[tuple[str, int, int, int]] = []
        self.asked: Mapping[str, str] = {}

    def began(self, topic_id: str, number: int, epoch: int, offset: int) -> None:
        self.began_at.append((topic_id, number, epoch, offset))

    def before(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> dict[Partition, int]:
        self.asked = topic_ids
        known = {("orders", number): epoch for _, number, epoch, _ in self.began_at}
        return {place: known[place] for place in positions if place in known}


class Moves:
    """Notes what is moved."""

    def __init__(self) -> None:
        self.made: list[tuple[Place, int, int]] = []

    def __call__(self, place: Place, offset: int, epoch: int) -> None:
        self.made.append((place, offset, epoch))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def epochs(kept: Kept) -> EpochsRead:
    ids = {"a-orders": "O1", "a-catalog": NO_ID}
    return EpochsRead(kept, KnownTopics(AdminClient({}), NAMES, ids, Remedies("", "")))


def message(place: Place, offset: int) -> Message:
    return Message(topic=place[0], partition=place[1], offset=offset)


def stopped(place: Place) -> Message:
    return Message(topic=place[0], partition=place[1], error=KafkaError(KafkaError._AUTO_OFFSET_RESET))


def test_what_was_fetched_of_a_partition_before_it_is_moved_comes_again(epochs: EpochsRead) -> None:
    moves, fetched = Moves(), [message(FIRST, 7), message(SECOND, 3)]
    epochs.compare_soon({FIRST: 2})
    assert epochs.compared(fetched, {FIRST: 7, SECOND: 3}, moves) == fetched[1:]
    assert moves.made == [(FIRST, 7, 2)]
    assert epochs.compared(fetched, {FIRST: 7, SECOND: 3}, moves) == fetched
    assert len(moves.made) == 1


def test_a_partition_whose_reading_has_stopped_is_not_moved(epochs: EpochsRead) -> None:
    moves, fetched = Moves(), [stopped(FIRST), message(SECOND, 3)]
    epochs.compare_soon({FIRST: 2, SECOND: 4})
    assert epochs.compared(fetched, {FIRST: 7, SECOND: 3}, moves) == fetched[:1]
    assert moves.made == [(SECOND, 3, 4)]


def test_a_partition_that_was_taken_away_is_not_moved(epochs: EpochsRead) -> None:
    moves = Moves()
    epochs.compare_soon({FIRST: 2})
    assert epochs.compared([], {SECOND: 3}, moves) == []
    assert epochs.compared([], {FIRST: 7}, moves) == []
    assert moves.made == []


def test_a_partition_that_is_placed_again_is_compared_with_what_is_known_then(epochs: EpochsRead) -> None:
    moves = Moves()
    epochs.compare_soon({FIRST: 2})
    assert epochs.before({FIRST: 9}) == {}
    assert epochs.compared([], {FIRST: 9}, moves) == []
    assert moves.made == []


def test_an_epoch_is_noted_again_once_its_partition_is_placed_anew(kept: Kept, epochs: EpochsRead) -> None:
    epochs.began(FIRST, 5, 100)
    assert (epochs.last(FIRST), epochs.last(SECOND)) == (5, None)
    assert epochs.before({FIRST: 101, SECOND: 0}) == {FIRST: 5}
    assert epochs.last(FIRST) is None
    epochs.began(FIRST, 5, 101)
    assert kept.began_at == [("O1", 0, 5, 100), ("O1", 0, 5, 101)]


def test_topics_and_messages_without_the_numbers_are_not_noted(kept: Kept, epochs: EpochsRead) -> None:
    epochs.began(CATALOG, 5, 100)
    epochs.began(FIRST, None, 100)
    assert kept.began_at == []
    epochs.before({CATALOG: 101, FIRST: 101})
    assert kept.asked == {"orders": "O1"}
