"""The `MessageStream` port on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from adapters.kafka.connection import KafkaConnection
from adapters.kafka.consumer import GroupConsumer
from adapters.kafka.log_offsets import LATEST, Place, partitions_of, read_offsets
from adapters.kafka.producer import Publisher
from adapters.kafka.topics import TAKEN_IN
from application.ports.message_stream import OutgoingMessage, Partition, ReceivedMessage

INGESTED = tuple(topic.name for topic in TAKEN_IN)


class KafkaMessageStream:
    """Publishes to all topics, reads those that ingest takes in, or the given ones of other systems.

    `positions` gives what is recorded in the database: partitions that the group hands over are begun there.
    Without it they are begun where `seek` was told last. The group is joined by the first poll.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        positions: Callable[[], Mapping[Partition, int]] | None = None,
        topics: Collection[str] = INGESTED,
    ) -> None:
        self._connection = connection
        self._admin = connection.admin()
        self._publisher = Publisher(connection)
        self._names = {connection.topic_prefix + topic: topic for topic in topics}
        self._recorded = positions
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
            self._consumer = GroupConsumer(self._connection.consumer(), self._admin, self._names, self._positions)
        return self._consumer.poll(limit, timeout)

    def ends(self) -> dict[Partition, int]:
        """Return the offset that each partition's next message gets; see the port."""
        ends = read_offsets(self._admin, partitions_of(self._admin, self._names), LATEST)
        return {Partition(self._names[topic], number): end for (topic, number), end in ends.items()}

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

    def _positions(self) -> dict[Place, int]:
        return self._placed(self._sought if self._recorded is None else self._recorded())

    def _placed(self, positions: Mapping[Partition, int]) -> dict[Place, int]:
        prefix = self._connection.topic_prefix
        return {(prefix + topic, number): offset for (topic, number), offset in positions.items()}
