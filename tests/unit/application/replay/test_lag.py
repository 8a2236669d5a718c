"""From how far behind the log on a build of it takes less time than to follow it."""

import pytest

from application.replay.lag import far_behind


@pytest.mark.parametrize(
    ("position", "head", "worth"),
    [
        (0, 99_999, False),
        (0, 100_000, True),
        (900_001, 1_000_000, False),
        (900_000, 1_000_000, True),
        (8_900_000, 9_000_000, False),
        (8_000_000, 9_000_000, True),
        (5, 5, False),
    ],
)
def test_both_many_events_and_a_good_part_of_the_log_must_be_missing(position: int, head: int, worth: bool) -> None:
    assert far_behind(position, head) == worth
