"""Under which leaders the messages of partitions were written: so it shows that a log was cut and written anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from confluent_kafka import TopicPartition

from adapters.kafka.log_offsets import Place
from application.ports.message_stream import Partition


class LeaderEpochs(Protocol):
    """The leader epochs of what was read, kept beside the positions; offsets are the brokers' own.

    Each leader of a partition has an epoch, a number that grows, which its messages carry. Brokers know where the
    messages of an epoch end: where a position right behind a message of it lies beyond that, the log was cut.
    """

    def began(self, partition: Partition, epoch: int, offset: int) -> None:
        """Keep that the message at an offset is of an epoch; on return it is durable."""

    def before(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return the epoch of the message right before each position, where that is known."""


class NoEpochs:
    """Keeps nothing: that a log was cut shows while it is read, not after a restart."""

    def began(self, partition: Partition, epoch: int, offset: int) -> None:
        """Keep nothing."""

    def before(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Know nothing."""
        return {}


class EpochsRead:
    """The epochs of what one reader reads, by the names that its topics have on the brokers."""

    def __init__(self, kept: LeaderEpochs, names: Mapping[str, str]) -> None:
        self._kept = kept
        self._names = names
        self._last: dict[Place, int | None] = {}

    def last(self, place: Place) -> int | None:
        """Return the epoch of the last message of a partition."""
        return self._last.get(place)

    def began(self, place: Place, epoch: int | None, offset: int) -> None:
        """Note that messages of another epoch come; brokers may say none."""
        if epoch is not None:
            self._kept.began(self._partition(place), epoch, offset)
        self._last[place] = epoch

    def before(self, positions: Mapping[Place, int]) -> dict[Place, int]:
        """Return the epoch of the message right before each position, where that is known."""
        places = {self._partition(place): place for place in positions}
        found = self._kept.before({partition: positions[place] for partition, place in places.items()})
        return {places[partition]: epoch for partition, epoch in found.items()}

    def _partition(self, place: Place) -> Partition:
        return Partition(self._names[place[0]], place[1])


def placed(place: Place, offset: int, epoch: int | None) -> TopicPartition:
    """Return a partition to begin at an offset; the epoch, where it is known, is that of the message before."""
    return TopicPartition(*place, offset) if epoch is None else TopicPartition(*place, offset, leader_epoch=epoch)
