"""How long messages wait to be taken in, as an operator expects it: 0 while none does, however quiet or busy it is."""

from __future__ import annotations

import random

from application.ports.message_stream import Partition
from entrypoints.monitoring.waiting import MAX_MARKS, Waiting

ORDERS, STOCK = Partition("orders", 0), Partition("inventory", 0)


class Stream:
    """A stream of two partitions, the times at which its messages came, and how far they were taken in."""

    def __init__(self) -> None:
        self.came: dict[Partition, list[float]] = {ORDERS: [], STOCK: []}
        self.taken: dict[Partition, int] = {}
        self.waiting = Waiting(since=0)

    def look(self, at: float) -> float:
        lag = {place: len(times) - self.taken.get(place, 0) for place, times in self.came.items()}
        return self.waiting.seconds(at, self.taken, lag)

    def oldest(self, at: float) -> float:
        waits = [times[self.taken.get(p, 0)] for p, times in self.came.items() if len(times) > self.taken.get(p, 0)]
        return at - min(waits, default=at)


def test_it_is_zero_while_nothing_waits_however_long_nothing_came() -> None:
    stream = Stream()
    assert stream.look(100) == 0
    stream.came[ORDERS], stream.taken[ORDERS] = [101], 1
    assert stream.look(9_000) == 0


def test_it_grows_from_the_last_look_at_which_nothing_waited() -> None:
    stream = Stream()
    stream.look(100)
    stream.came[ORDERS] = [107]
    assert [stream.look(at) for at in (110, 125, 500)] == [10, 25, 400]


def test_messages_that_wait_already_at_the_start_count_from_then() -> None:
    stream = Stream()
    stream.came[STOCK] = [-50]
    assert stream.look(3) == 3


def test_a_busy_consumer_that_keeps_up_is_an_interval_behind_at_most() -> None:
    stream = Stream()
    stream.taken = {ORDERS: 0, STOCK: 0}
    found = []
    for at in range(0, 600, 15):
        stream.came[ORDERS] += [at - 1.0] * 100
        found.append(stream.look(at))
        stream.taken[ORDERS] = len(stream.came[ORDERS])
    assert set(found[1:]) == {15}


def test_one_partition_that_is_stuck_counts_while_others_go_on() -> None:
    stream = Stream()
    stream.look(0)
    stream.taken, stream.came[STOCK] = {ORDERS: 0, STOCK: 0}, [1.0]
    for at in range(15, 300, 15):
        stream.came[ORDERS].append(at - 1.0)
        assert stream.look(at) == at
        stream.taken[ORDERS] = len(stream.came[ORDERS])


def test_it_is_never_less_than_the_age_of_the_oldest_message() -> None:
    chance, stream = random.Random(1), Stream()  # noqa: S311 - no secret
    at = 0.0
    for _ in range(3 * MAX_MARKS):
        for place, times in stream.came.items():
            times.extend(sorted(at + chance.random() for _ in range(chance.randrange(4))))
            left = len(times) - stream.taken.get(place, 0)
            if left and chance.random() < 0.7:
                stream.taken[place] = stream.taken.get(place, 0) + chance.randint(1, left)
        at += 1
        assert stream.look(at) >= stream.oldest(at)
