"""`dataflow rebuild` of the whole star while messages come at a rate and readers read. DATAFLOW_SOAK=1: for long."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.acceptance.faults.traffic import Sample, Traffic
from tests.acceptance.home import Home, until
from tests.soak import SOAK

RATE, SEED = 1_000, 12
"""Messages a second, and what they are made from."""
BEFORE = 100_000 if SOAK else 3_500
"""Events in the read models before the first rebuild begins: from the short form's on, there are orders."""
REBUILDS = 5 if SOAK else 2
LOCKED_SECONDS = 0.1
KEPT_UP = 0.6
"""The part of the rate that must come through at least, on a machine that is busy with other tests."""
SHORT = 2.0
"""Seconds of a phase below which it may fall between two batches."""


def test_the_star_is_rebuilt_under_traffic_and_no_reader_notices(tmp_path: Path) -> None:
    with closing(Home(tmp_path / "home").keep_server()) as home:
        home.do("status")
        following = [home.start("consume"), home.start("project")]
        with Traffic(home.conninfo(), RATE, SEED) as traffic:
            until(lambda: traffic.failures or traffic.position() >= BEFORE, "nothing follows")
            traffic.read()
            until(lambda: traffic.failures or traffic.seen, "nobody reads")
            assert traffic.failures == []
            rebuilds = [home.json("rebuild") for _ in range(REBUILDS)]
            until(lambda: traffic.position() > rebuilds[-1]["position"], "the followers don't go on")
        assert [process.poll() for process in following] == [None, None]

    assert traffic.failures == []
    for rebuilt in rebuilds:
        assert (rebuilt["swapped"], rebuilt["certificate"]["equal"]) == (True, True)
        assert rebuilt["locked_seconds"] < LOCKED_SECONDS
    assert [seen for seen in traffic.seen if seen.contradiction] == []
    stars = {seen.tables for seen in traffic.seen}
    assert len(stars) == 1 + REBUILDS, f"not each star, and nothing but these: {stars}"
    assert len({table for star in stars for table in star}) == sum(map(len, stars))
    by_build = [[each for each in traffic.samples if each.build == name] for name in traffic.builds()]
    assert len(by_build) == REBUILDS
    for samples in by_build:
        _require_traffic(samples)


def _require_traffic(samples: list[Sample]) -> None:
    """Check that messages kept their rate while a build was made, and came on in each of its phases."""
    first, last = samples[0], samples[-1]
    assert last.messages - first.messages >= KEPT_UP * RATE * (last.at - first.at)
    for status in {sample.status for sample in samples}:
        first, *_, last = [sample for sample in samples if sample.status == status]
        if last.at - first.at >= SHORT:
            assert (last.messages > first.messages, last.position > first.position) == (True, True), status
