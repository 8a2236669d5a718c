"""Batches that were decided about, on their way into the store: each durable only after the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from application.ingest.decision import Decisions
from application.ingest.observer import Stopwatch
from application.ports.event_store import ConcurrencyConflictError
from application.ports.message_stream import Partition, ReceivedMessage

PRECEDING_SECONDS = 2.0
"""How long a batch waits within its transaction for the one before it: it may hold up others there."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch that was decided about, where to go on after it, and where the positions must stand before it."""

    messages: Sequence[ReceivedMessage]
    decisions: Decisions
    positions: dict[Partition, int]
    reached: dict[Partition, int]
    watch: Stopwatch


@dataclass(frozen=True, slots=True)
class Commit:
    """A batch on its way into the store."""

    batch: Decided
    done: Future[None]


def await_durable(before: Future[None]) -> None:
    """Return when the batch before is durable.

    Raises:
        ConcurrencyConflictError: that takes too long.
        Exception: what became of it, where it isn't kept.
    """
    try:
        before.result(PRECEDING_SECONDS)
    except TimeoutError as error:
        raise ConcurrencyConflictError("the batch before is still not committed") from error


def reached(positions: Mapping[Partition, int], commits: Iterable[Commit]) -> dict[Partition, int]:
    """Return where positions stand once the batches on their way are committed."""
    standing = dict(positions)
    for commit in commits:
        standing.update(commit.batch.positions)
    return standing


def positions_after(messages: Sequence[ReceivedMessage]) -> dict[Partition, int]:
    """Return the offset to go on from for each partition of the messages."""
    after: dict[tuple[str, int], int] = {}
    for topic, number, offset, *_ in messages:
        after[topic, number] = offset + 1
    return {Partition(*place): offset for place, offset in after.items()}
