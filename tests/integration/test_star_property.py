"""For any log: what is refreshed as events come equals what is built from them, and the layers reconcile."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from application.codec import Recorded
from application.quality.check import Severity
from application.quality.definitions import CHECKS
from tests.integration.random_logs import shuffled, simulated
from tests.integration.star import star
from tests.soak import SOAK

SEEDS = range(1, 40 if SOAK else 4)


def batches(log: list[Recorded], chance: Random) -> Iterator[list[Recorded]]:
    start = 0
    while start < len(log):
        size = chance.choice((1, 60, 400, 900))
        yield log[start : start + size]
        start += size


@pytest.mark.parametrize("seed", SEEDS)
def test_a_star_followed_in_any_order_and_batches_equals_the_one_built(prepared: str, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - reproducible on purpose
    log = simulated(seed)
    if seed % 3:
        log = shuffled(log, chance)
    with star(prepared) as house:
        for batch in batches(log, chance):
            house.append(batch)
            house.follow(len(batch))
        assert house.rows("SELECT count(*) FROM fact_order_line")[0][0] > 0
        assert house.rows("SELECT count(*) FROM fact_stock_movement")[0][0] > 0
        assert house.rows("SELECT count(DISTINCT kind) FROM fact_order_line_event WHERE kind ~ '^(added|incr)'") == [
            (2,)
        ]
        assert house.differences() == []
        assert house.quality.run(CHECKS).failures(Severity.ERROR) == ()
