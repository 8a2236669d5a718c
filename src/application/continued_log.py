"""A log that takes the place of another: its offsets count on from where the one before it ended.

So every message of a database has a place of its own, whichever log it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from application.ports.message_stream import MessageStream, OutgoingMessage, Partition, ReceivedMessage


class ContinuedLog:
    """The `MessageStream` port over another one; `starts` says where each partition ended in the log before."""

    def __init__(self, stream: MessageStream, starts: Mapping[Partition, int]) -> None:
        self._stream = stream
        self._starts = dict(starts)

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Publish messages; see the port."""
        self._stream.publish(messages)

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read each partition from the given position on; see the port."""
        self._stream.seek(own_offsets(positions, self._starts))

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Return up to `limit` messages; see the port."""
        starts = self._starts
        return [
            message._replace(offset=message.offset + starts.get(Partition(message.topic, message.partition), 0))
            for message in self._stream.poll(limit, timeout)
        ]

    def passed(self) -> dict[Partition, int]:
        """Return where to go on beyond what nobody can read; see the port."""
        return {partition: end + self._starts.get(partition, 0) for partition, end in self._stream.passed().items()}

    def ends(self) -> dict[Partition, int]:
        """Return where the next message of each partition goes; see the port."""
        return {partition: end + self._starts.get(partition, 0) for partition, end in self._stream.ends().items()}

    def readable(self) -> dict[Partition, int]:
        """Return up to where each partition can be read; see the port."""
        return {partition: end + self._starts.get(partition, 0) for partition, end in self._stream.readable().items()}

    def is_read_here(self, partition: Partition) -> bool:
        """Tell whether this reader gets the messages of a partition; see the port."""
        return self._stream.is_read_here(partition)

    def behind(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return how many offsets each partition holds from its position on; see the port."""
        return self._stream.behind(own_offsets(positions, self._starts))

    def acknowledge(self, positions: Mapping[Partition, int]) -> None:
        """Tell the log how far messages were taken in; see the port."""
        self._stream.acknowledge(own_offsets(positions, self._starts))


def own_offsets(positions: Mapping[Partition, int], starts: Mapping[Partition, int]) -> dict[Partition, int]:
    """Return the log's own offsets for recorded positions; a partition that it does not continue keeps its own."""
    return {partition: position - starts.get(partition, 0) for partition, position in positions.items()}
