"""Under which leaders the messages of partitions were written: so it shows that a log was cut and written anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from confluent_kafka import KafkaError, Message, TopicPartition

from adapters.kafka.log_offsets import Place
from adapters.kafka.topic_ids import KnownTopics
from application.ports.message_stream import Partition

Seek = Callable[[Place, int, int], None]
"""Moves a partition to an offset, behind a message of an epoch."""


class LeaderEpochs(Protocol):
    """The leader epochs of what was read, kept beside the positions; offsets are the brokers' own.

    Each leader of a partition has an epoch, a number that grows, which its messages carry. Brokers know where the
    messages of an epoch end: where a position right behind a message of it lies beyond that, the log was cut.
    """

    def began(self, topic_id: str, number: int, epoch: int, offset: int) -> None:
        """Keep that the message at an offset of a partition is of an epoch; on return it is durable."""

    def before(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> dict[Partition, int]:
        """Return the epoch of the message right before each position, where that is known; ids are given by topic."""


class NoEpochs:
    """Keeps nothing: that a log was cut shows while it is read, not after a restart."""

    def began(self, topic_id: str, number: int, epoch: int, offset: int) -> None:
        """Keep nothing."""

    def before(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> dict[Partition, int]:
        """Know nothing."""
        return {}


class EpochsRead:
    """The epochs of what one reader reads, by the names that its topics have on the brokers."""

    def __init__(self, kept: LeaderEpochs, topics: KnownTopics) -> None:
        self._kept = kept
        self._topics = topics
        self._last: dict[Place, int | None] = {}
        self._to_compare: dict[Place, int] = {}

    def last(self, place: Place) -> int | None:
        """Return the epoch of the last message of a partition since it was placed."""
        return self._last.get(place)

    def began(self, place: Place, epoch: int | None, offset: int) -> None:
        """Note that messages of another epoch come; brokers may say none."""
        if epoch is not None and (topic_id := self._topics.id_of(place[0])) is not None:
            self._kept.began(topic_id, place[1], epoch, offset)
        self._last[place] = epoch

    def before(self, positions: Mapping[Place, int]) -> dict[Place, int]:
        """Return the epoch of the message right before each position that a partition is placed at, where it is known.

        What comes from there on is noted anew: the database may have lost what was noted before.
        """
        for place in positions:
            self._last.pop(place, None)
            self._to_compare.pop(place, None)
        own = {self._topics.own(place): place for place in positions}
        ids = {partition.topic: known for partition, place in own.items() if (known := self._topics.id_of(place[0]))}
        found = self._kept.before({partition: positions[place] for partition, place in own.items()}, ids)
        return {own[partition]: epoch for partition, epoch in found.items()}

    def compare_soon(self, epochs: Mapping[Place, int]) -> None:
        """Have partitions compared, that begin with the message after one of these epochs, once they were fetched."""
        self._to_compare.update(epochs)

    def compared(self, fetched: Sequence[Message], positions: Mapping[Place, int], seek: Seek) -> Sequence[Message]:
        """Have the brokers compare their logs with what partitions begin behind; return the messages of the others.

        They compare when a partition is moved, not when it begins; what was fetched before comes again. A partition
        whose reading has stopped is not moved.
        """
        if not self._to_compare:
            return fetched
        stopped = {_place(m) for m in fetched if (e := m.error()) and e.code() == KafkaError._AUTO_OFFSET_RESET}
        moved = (self._to_compare.keys() & positions.keys()) - stopped
        epochs, self._to_compare = self._to_compare, {}
        for place in moved:
            seek(place, positions[place], epochs[place])
        return [message for message in fetched if _place(message) not in moved]


def placed(place: Place, offset: int, epoch: int | None) -> TopicPartition:
    """Return a partition to begin at an offset; the epoch, where it is known, is that of the message before."""
    return TopicPartition(*place, offset) if epoch is None else TopicPartition(*place, offset, leader_epoch=epoch)


def _place(message: Message) -> tuple[str | None, int | None]:
    return message.topic(), message.partition()
