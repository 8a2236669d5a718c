"""What ingest tells whoever watches it: that it goes on, and what each committed batch was."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from application.ports.inbox import Balance, Receipt
from application.ports.message_stream import Partition, ReceivedMessage


class Step(NamedTuple):
    """A step of the work on a batch; it began and ended at these readings of `time.perf_counter`."""

    name: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A batch that is committed: its messages, a receipt of each, how many events, where to go on, and the steps.

    The steps are `decode`, `decide` (with loading what it needs) and `append`.
    """

    balance: Balance
    messages: Sequence[ReceivedMessage]
    receipts: Sequence[Receipt]
    events: int
    positions: Mapping[Partition, int]
    steps: Sequence[Step]


class Observer(Protocol):
    """Watches ingest; called on the thread that runs it, so it must be quick."""

    def turned(self) -> None:
        """Note that ingest asked the stream for messages, and got some or none; what it raises ends ingest."""

    def committed(self, batch: BatchReport) -> None:
        """Note that a batch is durable; it must not raise."""


class Nobody:
    """Watches nothing."""

    def turned(self) -> None:
        """Do nothing."""

    def committed(self, batch: BatchReport) -> None:
        """Do nothing."""


class Stopwatch:
    """Times the steps of a batch."""

    __slots__ = ("_began", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._began = time.perf_counter()

    def start(self) -> None:
        """Begin a step that does not follow directly on the last one."""
        self._began = time.perf_counter()

    def done(self, name: str) -> None:
        """End a step; the next one begins."""
        now = time.perf_counter()
        self.steps.append(Step(name, self._began, now))
        self._began = now
