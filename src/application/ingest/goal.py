"""How far a stream is taken in by what ends by itself: up to what could be read of it at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from application.ports.message_stream import MessageStream, Partition, ReceivedMessage

log = logging.getLogger(__name__)


class Goal:
    """All that can be read of a stream now. What is published later, or is in an open transaction, lies behind it."""

    def __init__(self, stream: MessageStream, positions: Callable[[], Mapping[Partition, int]]) -> None:
        """`positions` tells how far the stream was taken in."""
        self._stream = stream
        self._positions = positions
        self._ends = stream.readable()

    def left(self) -> int:
        """Return how many messages up to here are not taken in yet, by their offsets."""
        positions = self._positions()
        behind = self._stream.behind(positions)
        return sum(
            min(behind.get(place, 0), max(0, end - positions.get(place, 0))) for place, end in self._ends.items()
        )

    def is_passed_by(self, messages: Iterable[ReceivedMessage]) -> bool:
        """Tell whether all messages lie beyond the goal, or there are none."""
        return all(m.offset >= self._ends.get(Partition(m.topic, m.partition), 0) for m in messages)

    def tell_held_back(self) -> None:
        """Say in the log how many messages nobody can read yet, and where."""
        if held := held_back(self._stream):
            log.warning(
                "%s messages are not taken in yet: they wait for the end of a transaction that is open in %s",
                f"{sum(held.values()):,}",
                ", ".join(f"{topic}/{number}" for topic, number in sorted(held)),
            )


def held_back(stream: MessageStream) -> dict[Partition, int]:
    """Return how many messages of partitions nobody can read before a transaction ends, those after it among them."""
    ends = stream.ends()
    readable = stream.readable()
    return {place: count for place, end in ends.items() if (count := end - readable.get(place, end)) > 0}
