"""The message stream in one process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Condition
from zlib import crc32

from application.ports.message_stream import POLL_BYTES, OutgoingMessage, Partition, ReceivedMessage


class MemoryMessageStream:
    """The `MessageStream` port in memory."""

    def __init__(self, topics: Sequence[str], partitions: int = 4) -> None:
        self._count = partitions
        self._logs: dict[Partition, list[OutgoingMessage]] = {
            Partition(topic, number): [] for topic in topics for number in range(partitions)
        }
        self._next: dict[Partition, int] = {}
        self._changed = Condition()

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append messages to the partition of their key."""
        with self._changed:
            for message in messages:
                number = crc32(message.key.encode()) % self._count
                self._logs[Partition(message.topic, number)].append(message)
            self._changed.notify_all()

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read each partition from the given offset on, the others from their start."""
        self._next = dict(positions)

    def poll(self, limit: int, timeout: float) -> list[ReceivedMessage]:
        """Return up to `limit` messages."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (messages := self._read(limit)):
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
        return messages

    def passed(self) -> dict[Partition, int]:
        """Return nothing: every offset is a message."""
        return {}

    def ends(self) -> dict[Partition, int]:
        """Return the offset that each partition's next message gets."""
        with self._changed:
            return {partition: len(log) for partition, log in self._logs.items()}

    def readable(self) -> dict[Partition, int]:
        """Return the ends: what is published can be read."""
        return self.ends()

    def is_read_here(self, partition: Partition) -> bool:
        """Return True: there is one reader."""
        return partition in self._logs

    def behind(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return how many messages each partition holds from its position on."""
        return {partition: end - positions.get(partition, 0) for partition, end in self.ends().items()}

    def acknowledge(self, positions: Mapping[Partition, int]) -> None:
        """Nothing to do: nobody watches."""

    def _read(self, limit: int) -> list[ReceivedMessage]:
        messages: list[ReceivedMessage] = []
        size = 0
        for partition, log in self._logs.items():
            start = self._next.get(partition, 0)
            for offset, sent in enumerate(log[start : start + limit - len(messages)], start):
                message = ReceivedMessage(*partition, offset, sent.key, sent.payload)
                size += message.size
                if messages and size > POLL_BYTES:
                    return messages
                messages.append(message)
                self._next[partition] = offset + 1
        return messages
