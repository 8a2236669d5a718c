"""Begin again where something outside went away: exponential back-off with full jitter, no end but success or stop."""

from __future__ import annotations

import random
from collections.abc import Callable

from application.errors import PlatformError

FIRST_SECONDS = 0.5
CAP_SECONDS = 30.0


class Backoff:
    """How long to wait before trying again.

    A random share of a span that doubles with every failure up to a cap ("full jitter",
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that many processes
    don't come back at the same moment.
    """

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        cap: float = CAP_SECONDS,
        share: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._cap = cap
        self._share = share
        self._span = first

    def next(self) -> float:
        """Return the seconds to wait after one more failure."""
        span, self._span = self._span, min(self._cap, self._span * 2)
        return span * self._share()

    def reset(self) -> None:
        """Forget the failures: something succeeded."""
        self._span = self._first


def keep_trying(
    attempt: Callable[[], None],
    *,
    passes: Callable[[PlatformError], bool],
    backoff: Backoff,
    wait: Callable[[float], bool],
    failed: Callable[[PlatformError, float], None],
) -> None:
    """Attempt until it ends by itself, or `wait` says that it is time to stop.

    `passes(error)` tells whether an error is of the kind that passes; others are raised. `failed(error,
    seconds)` is called before each wait. `wait(seconds)` returns True, at once, where a stop is asked for.
    """
    while True:
        try:
            return attempt()
        except PlatformError as error:
            if not passes(error):
                raise
            seconds = backoff.next()
            failed(error, seconds)
        if wait(seconds):
            return None
