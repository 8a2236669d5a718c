"""Where the logs of partitions begin and end, asked of the brokers in one request for all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from adapters.kafka.errors import PositionLostError, reason_of, translated

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""A topic, by its name on the brokers, and the number of a partition."""

EARLIEST = OffsetSpec.earliest()
LATEST = OffsetSpec.latest()

_SECONDS = 10.0
_PAUSE = 0.05
_PASSING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.OFFSET_NOT_AVAILABLE,
    }
)
"""What brokers say of a partition whose leader is being chosen, or was just now."""


def partitions_of(admin: AdminClient, topics: Iterable[str]) -> list[Place]:
    """Return the partitions of the topics that exist.

    Raises:
        StreamUnavailableError: the brokers don't answer.
    """
    admin.poll(0)
    with translated():
        known = admin.list_topics(timeout=_SECONDS).topics
    return [(name, number) for name in topics if name in known for number in sorted(known[name].partitions)]


def listed(partitions: Iterable[TopicPartition]) -> str:
    """Return the names of partitions, in order."""
    return ", ".join(f"{topic}/{number}" for topic, number in sorted((p.topic, p.partition) for p in partitions))


def last_stable_offsets(admin: AdminClient, places: Collection[Place]) -> dict[Place, int]:
    """Return up to where each partition can be read: before its first open transaction.

    Raises:
        StreamUnavailableError: the brokers don't answer, or have no leader for a partition.
    """
    return read_offsets(admin, places, LATEST, IsolationLevel.READ_COMMITTED)


def read_offsets(
    admin: AdminClient,
    places: Collection[Place],
    which: OffsetSpec,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> dict[Place, int]:
    """Return the first (EARLIEST) or the next (LATEST) offset of each partition.

    Raises:
        StreamUnavailableError: the brokers don't answer, or have no leader for a partition.
    """
    found: dict[Place, int] = {}
    deadline = time.monotonic() + _SECONDS
    with translated():
        while missing := [place for place in places if place not in found]:
            asked = {TopicPartition(*place): which for place in missing}
            for partition, future in admin.list_offsets(
                asked, isolation_level=isolation, request_timeout=_SECONDS
            ).items():
                try:
                    found[partition.topic, partition.partition] = future.result(_SECONDS).offset
                except KafkaException as error:
                    if reason_of(error).code() not in _PASSING or time.monotonic() > deadline:
                        raise
            if len(found) < len(places):
                time.sleep(_PAUSE)
    return found


def starts(admin: AdminClient, places: Collection[Place], positions: Mapping[Place, int]) -> dict[Place, int]:
    """Return where to begin: at the recorded position, or at the first message that still exists.

    Raises:
        PositionLostError: a position is beyond the end of its partition.
        StreamUnavailableError: the brokers don't answer.
    """
    begin = {place: first for place, (first, _) in _remaining(admin, places, positions).items()}
    _tell_gone(begin, positions)
    return begin


def _tell_gone(begin: Mapping[Place, int], positions: Mapping[Place, int]) -> None:
    """Log what was to be read and is gone; of topics that are read for the first time, how much they held before."""
    read = {topic for topic, _ in positions}
    before: dict[Place, int] = {}
    for place, first in begin.items():
        if (gone := first - positions.get(place, 0)) <= 0:
            continue
        if place[0] in read:
            log.error("%d messages of %s/%d are gone: retention ended before they were taken in", gone, *place)
        else:
            before[place] = gone
    if before:
        where = ", ".join(f"{topic}/{number}" for topic, number in sorted(before))
        log.warning("%d messages were gone before these were read for the first time: %s", sum(before.values()), where)


def counts_behind(admin: AdminClient, places: Collection[Place], positions: Mapping[Place, int]) -> dict[Place, int]:
    """Return how many offsets that still exist each partition holds from its position on.

    Raises:
        PositionLostError: a position is beyond the end of its partition.
        StreamUnavailableError: the brokers don't answer.
    """
    return {place: end - first for place, (first, end) in _remaining(admin, places, positions).items()}


def _remaining(
    admin: AdminClient, places: Collection[Place], positions: Mapping[Place, int]
) -> dict[Place, tuple[int, int]]:
    """Return for each partition where reading begins and ends."""
    if not places:
        return {}
    first = read_offsets(admin, places, EARLIEST)
    ends = read_offsets(admin, places, LATEST)
    for place, end in ends.items():
        if (position := positions.get(place, 0)) > end:
            raise PositionLostError(
                f"the recorded position of {place[0]}/{place[1]} is {position:,}, but its log ends at {end:,}: "
                "these are other brokers, or they lost what they had acknowledged; go back to those that were read "
                "before, or read the topic again, by --reread of `dataflow switch-log` or `dataflow ingest topics`"
            )
    return {place: (max(positions.get(place, 0), first[place]), end) for place, end in ends.items()}
