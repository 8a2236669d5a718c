"""The `MessageStream` port on Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import methodcaller
from typing import cast

from confluent_kafka import Message

from adapters.kafka.cloud_events import Headers, structured, trace_of
from adapters.kafka.connection import KafkaConnection
from adapters.kafka.consumer import Content, GroupConsumer
from adapters.kafka.leader_epochs import LeaderEpochs, NoEpochs
from adapters.kafka.log_offsets import LATEST, Place, counts_behind, last_stable_offsets, partitions_of, read_offsets
from adapters.kafka.producer import Publisher
from adapters.kafka.topic_ids import KnownTopics, Remedies
from adapters.kafka.topics import TAKEN_IN
from application.ports.message_stream import OutgoingMessage, Partition, ReceivedMessage, StreamUnavailableError

INGESTED = tuple(topic.name for topic in TAKEN_IN)
_OWN = Remedies("dataflow switch-log", "dataflow switch-log --reread")
_OTHERS = Remedies("dataflow ingest topics --accept-recreated", "dataflow ingest topics --reread")

_KNOWN_SECONDS = 1.0
"""How long a topic may be unknown: to a broker that just started, or where it was created a moment ago."""
_PAUSE = 0.1

_headers_of = methodcaller("headers")
"""A header whose name is not UTF-8 leaves a hole in what the client returns, which ends the process when it is touched.

The interpreter notices that, by a SystemError, in calls that C code makes, not where it has specialised its own.
"""


class KafkaMessageStream:
    """Publishes to all topics, reads those that ingest takes in, or the given ones of other systems as they are.

    Messages for ingest come out in structured mode, whichever way they were sent.

    `positions` gives what is recorded in the database: partitions that the group hands over are begun there.
    Without it they are begun where `seek` was told last. The group is joined by the first poll. `ids` are those
    that the topics had when positions in them were recorded; by default those that they have then. `epochs` keeps
    the leader epochs of what was read, so that a log which was cut is known after a restart, too.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        positions: Callable[[], Mapping[Partition, int]] | None = None,
        topics: Collection[str] | None = None,
        ids: Mapping[str, str] | None = None,
        epochs: LeaderEpochs | None = None,
    ) -> None:
        self._connection = connection
        self._admin = connection.admin()
        self._publisher = Publisher(connection)
        self._names = {connection.topic_prefix + topic: topic for topic in (topics or INGESTED)}
        self._content_of, remedies = (_content, _OWN) if topics is None else (_value, _OTHERS)
        known = {connection.topic_prefix + topic: each for topic, each in (ids or {}).items()}
        self._topics = KnownTopics(self._admin, self._names, known, remedies)
        self._recorded = positions
        self._epochs = epochs or NoEpochs()
        self._sought: Mapping[Partition, int] = {}
        self._consumer: GroupConsumer | None = None

    @property
    def assignments(self) -> int:
        """How often the group handed partitions over since the first poll; 0 while it is being joined."""
        return self._consumer.assignments if self._consumer is not None else 0

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Publish messages; on return the brokers have acknowledged all of them. See the port."""
        self._publisher.publish(messages)

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Go on from the given offsets in the partitions that are assigned, and in those that follow."""
        self._sought = dict(positions)
        if self._consumer is not None:
            self._consumer.place(self._placed(positions))

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Return up to `limit` messages of the partitions that are assigned; see the port."""
        if self._consumer is None:
            consumer, positions = self._connection.consumer(), self._positions
            self._consumer = GroupConsumer(
                consumer,
                self._admin,
                self._names,
                positions,
                self._topics,
                epochs=self._epochs,
                content_of=self._content_of,
            )
        return self._consumer.poll(limit, timeout)

    def passed(self) -> dict[Partition, int]:
        """Return where to go on beyond what nobody can read; see the port."""
        return {} if self._consumer is None else self._named(self._consumer.passed())

    def ends(self) -> dict[Partition, int]:
        """Return the offset that each partition's next message gets; see the port."""
        return self._named(read_offsets(self._admin, self._places(), LATEST))

    def readable(self) -> dict[Partition, int]:
        """Return each partition's last stable offset; see the port."""
        return self._named(last_stable_offsets(self._admin, self._places()))

    def is_read_here(self, partition: Partition) -> bool:
        """Tell whether the group assigned a partition to this member; see the port."""
        place = (self._connection.topic_prefix + partition.topic, partition.number)
        return (consumer := self._consumer) is not None and consumer.has(place)

    def behind(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return how many offsets each partition holds from its position on; see the port.

        Raises:
            PositionLostError: a position is beyond the end of its partition.
            StreamUnavailableError: the brokers don't answer, or a topic does not exist.
        """
        return self._named(counts_behind(self._admin, self._places(), self._placed(positions)))

    def acknowledge(self, positions: Mapping[Partition, int]) -> None:
        """Commit the group's offsets, in the background: for monitoring only."""
        if self._consumer is not None:
            self._consumer.commit(self._placed(positions))

    def close(self) -> None:
        """Leave the group, and send what is still under way."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._publisher.close()

    def _places(self) -> list[Place]:
        """Return all partitions; without those of a topic that is gone, it would look as if nothing waited there."""
        deadline = time.monotonic() + _KNOWN_SECONDS
        while True:
            places = partitions_of(self._admin, self._names)
            if not (missing := sorted(self._names.keys() - {topic for topic, _ in places})):
                return places
            if time.monotonic() > deadline:
                raise StreamUnavailableError(f"Kafka has no topic {', '.join(missing)}")
            time.sleep(_PAUSE)

    def _positions(self) -> dict[Place, int]:
        return self._placed(self._sought if self._recorded is None else self._recorded())

    def _named(self, offsets: Mapping[Place, int]) -> dict[Partition, int]:
        return {Partition(self._names[topic], number): offset for (topic, number), offset in offsets.items()}

    def _placed(self, positions: Mapping[Partition, int]) -> dict[Place, int]:
        prefix = self._connection.topic_prefix
        return {(prefix + topic, number): offset for (topic, number), offset in positions.items()}


def _content(message: Message) -> Content:
    headers = _headers(message)
    value = message.value() or b""
    return (structured(headers, value), trace_of(headers), _bytes_of(headers)) if headers else (value, None, 0)


def _value(message: Message) -> Content:
    headers = _headers(message)
    return message.value() or b"", None, _bytes_of(headers) if headers else 0


def _headers(message: Message) -> Headers | None:
    try:
        return cast("Headers | None", _headers_of(message))
    except SystemError:
        return None


def _bytes_of(headers: Headers) -> int:
    return sum([len(name) + len(text or b"") for name, text in headers])
