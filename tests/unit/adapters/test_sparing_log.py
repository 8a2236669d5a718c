"""A broker that is away fills no log."""

from __future__ import annotations

import logging

import pytest

from adapters.kafka.sparing_log import SILENCE, Sparing

REFUSED = "127.0.0.1:9/bootstrap: Connection refused (after %dms in state CONNECT, 100%% sure)"


class Clock:
    """Time that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_same_is_said_once_and_later_how_often_it_was_not(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    log, sparing = logging.getLogger("sparing"), Sparing(clock)
    log.addFilter(sparing)
    for took in range(300):
        log.warning(REFUSED, took)
    log.warning("something else")
    clock.now = SILENCE
    log.warning(REFUSED, 7)
    log.removeFilter(sparing)
    assert caplog.messages == [
        REFUSED % 0,
        "something else",
        f"{REFUSED % 7} (and 299 more of these since)",
    ]
