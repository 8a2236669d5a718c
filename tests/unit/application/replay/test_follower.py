"""The follower brings a read model to the end of the log or up to a position, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from adapters.memory.event_store import MemoryDatabase, MemoryEventStore
from application.codec import Recorded
from application.ports.read_model import ReadModel
from application.replay.follower import Follower
from tests.unit.application.processes.house import received, tell


class Applied:
    """A read model that keeps what was applied to it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def position(self) -> int:
        return self.batches[-1][-1] if self.batches else 0

    def apply(self, events: Sequence[Recorded], after: int) -> None:
        assert after == self.position()
        self.batches.append([event.position for event in events])


@pytest.mark.parametrize(
    ("upto", "batches", "reports"),
    [
        (None, [[1, 2], [3, 4], [5]], [(2, 5), (4, 5), (5, 5)]),
        (4, [[1, 2], [3, 4]], [(2, 4), (4, 4)]),
        (3, [[1, 2], [3]], [(2, 3), (3, 3)]),
    ],
)
def test_a_read_model_comes_to_where_it_is_to_be_and_no_further(
    upto: int | None, batches: list[list[int]], reports: list[tuple[int, int]]
) -> None:
    store, read_model = MemoryEventStore(MemoryDatabase()), Applied()
    tell(store, *(received("A", "main", units) for units in range(1, 6)))
    follower = Follower(store, cast("ReadModel", read_model), 2)
    said: list[Any] = []
    assert follower.run(lambda *report: said.append(report), upto) == sum(map(len, batches))
    assert (read_model.batches, said) == (batches, reports)
    assert follower.run(upto=upto) == 0


def test_a_read_model_that_is_beyond_a_position_stays_where_it_is() -> None:
    store, read_model = MemoryEventStore(MemoryDatabase()), Applied()
    tell(store, *(received("A", "main", units) for units in range(1, 6)))
    follower = Follower(store, cast("ReadModel", read_model))
    follower.run(upto=4)
    assert (follower.run(upto=2), read_model.batches) == (0, [[1, 2, 3, 4]])
