"""A log that takes another's place keeps the stream port's promises, with offsets that count on."""

from collections.abc import Mapping

import pytest

from adapters.memory.message_stream import MemoryMessageStream
from application.continued_log import ContinuedLog
from application.ports.message_stream import OutgoingMessage, Partition

STARTS = {Partition("orders", 0): 100, Partition("orders", 1): 7}


class Acknowledged(MemoryMessageStream):
    last: Mapping[Partition, int] = {}

    def acknowledge(self, positions: Mapping[Partition, int]) -> None:
        self.last = dict(positions)


@pytest.fixture
def inner() -> Acknowledged:
    return Acknowledged(["orders"], partitions=3)


def test_offsets_count_on_from_where_the_log_before_ended(inner: Acknowledged) -> None:
    log = ContinuedLog(inner, STARTS)
    assert log.ends() == {Partition("orders", 0): 100, Partition("orders", 1): 7, Partition("orders", 2): 0}
    log.publish([OutgoingMessage("orders", f"key-{n}", b"%d" % n) for n in range(60)])
    received = log.poll(100, 0)
    for partition, end in log.ends().items():
        offsets = [m.offset for m in received if (m.topic, m.partition) == partition]
        assert offsets == list(range(STARTS.get(partition, 0), end))
        assert len(offsets) > 3


def test_reading_goes_on_from_recorded_positions(inner: Acknowledged) -> None:
    log = ContinuedLog(inner, STARTS)
    log.publish([OutgoingMessage("orders", f"key-{n}", b"%d" % n) for n in range(60)])
    whole = log.poll(100, 0)
    positions = {Partition("orders", 0): 103, Partition("orders", 1): 7, Partition("orders", 2): 2}
    log.seek(positions)
    assert log.poll(100, 0) == [m for m in whole if m.offset >= positions[Partition(m.topic, m.partition)]]
    log.acknowledge(positions)
    assert inner.last == {Partition("orders", 0): 3, Partition("orders", 1): 0, Partition("orders", 2): 2}
