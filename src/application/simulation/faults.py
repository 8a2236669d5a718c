"""The faults of real sources, on purpose: messages repeated, late, or broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count

from application.ports.message_stream import OutgoingMessage
from application.simulation.broken import broken_message
from application.simulation.settings import random_of

LATEST = 200
"""A late or repeated message comes at most so many messages after its place."""


def with_faults(
    messages: Iterable[OutgoingMessage],
    *,
    seed: int,
    duplicate_share: float = 0.0,
    late_share: float = 0.0,
    broken_share: float = 0.0,
) -> Iterator[OutgoingMessage]:
    """Yield the messages with faults; shares are of the messages given.

    A duplicate is the same message again, a bit later. A late message keeps all later messages of its key
    waiting, so that the order within a key stands. Broken messages are additional ones, see `broken`.
    """
    return _Faults(seed, duplicate_share, late_share, broken_share).apply(messages)


class _Faults:
    def __init__(self, seed: int, duplicate_share: float, late_share: float, broken_share: float) -> None:
        self._duplicate_share = duplicate_share
        self._late_share = late_share
        self._broken_share = broken_share
        self._duplicates, self._delays, self._breaks = (
            random_of(f"{seed}/{concern}") for concern in ("duplicate", "late", "broken")
        )
        self._source = f"generator-faults/{seed}"
        self._broken_numbers = count()
        self._position = 0
        self._order = count()
        self._repeats: list[tuple[int, int, OutgoingMessage]] = []
        self._releases: list[tuple[int, int, str]] = []
        self._held: dict[str, list[OutgoingMessage]] = {}

    def apply(self, messages: Iterable[OutgoingMessage]) -> Iterator[OutgoingMessage]:
        for message in messages:
            self._position += 1
            yield from self._due(self._position)
            if message.key in self._held:
                self._held[message.key].append(message)
            elif self._delays.random() < self._late_share:
                self._held[message.key] = [message]
                release = self._position + self._delays.randint(1, LATEST)
                heappush(self._releases, (release, next(self._order), message.key))
            else:
                yield from self._give_out(message)
        yield from self._due(self._position + 2 * LATEST)

    def _due(self, position: int) -> Iterator[OutgoingMessage]:
        while self._releases and self._releases[0][0] <= position:
            for message in self._held.pop(heappop(self._releases)[2]):
                yield from self._give_out(message)
        while self._repeats and self._repeats[0][0] <= position:
            yield heappop(self._repeats)[2]

    def _give_out(self, message: OutgoingMessage) -> Iterator[OutgoingMessage]:
        yield message
        if self._duplicates.random() < self._duplicate_share:
            again = self._position + self._duplicates.randint(1, LATEST)
            heappush(self._repeats, (again, next(self._order), message))
        if self._breaks.random() < self._broken_share:
            yield broken_message(message, next(self._broken_numbers), self._source)
