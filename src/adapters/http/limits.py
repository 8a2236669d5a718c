"""When a service may be asked: its rate limits, and the pause after it failed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

Clock = Callable[[], float]


class Limit(NamedTuple):
    """At most so many requests within any span of so many seconds."""

    requests: int
    seconds: float


class RateLimit:
    """Counts the requests of this process against several limits at once."""

    def __init__(self, limits: Sequence[Limit], clock: Clock = time.monotonic) -> None:
        self._limits = tuple(limits)
        self._asked: deque[float] = deque(maxlen=max((limit.requests for limit in limits), default=1))
        self._clock = clock
        self._lock = Lock()

    def take(self) -> float:
        """Count a request if it is allowed now, and return 0; otherwise return for how many seconds it is not."""
        with self._lock:
            now = self._clock()
            wait = max((self._wait(limit, now) for limit in self._limits), default=0.0)
            if wait <= 0:
                self._asked.append(now)
            return max(wait, 0.0)

    def _wait(self, limit: Limit, now: float) -> float:
        if len(self._asked) < limit.requests:
            return 0.0
        return self._asked[-limit.requests] + limit.seconds - now


class Circuit:
    """Opens after failures in a row, so that a service that is down is left alone; then one failure opens it again.

    The pattern: M. T. Nygard, "Release It!", 2018, chapter 5.
    """

    def __init__(self, failures: int = 5, pause: float = 30.0, clock: Clock = time.monotonic) -> None:
        self._most = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._open_until = clock()
        self._lock = Lock()

    def remaining(self) -> float:
        """Return for how many seconds the service is left alone, 0 when it may be asked."""
        return max(0.0, self._open_until - self._clock())

    def succeeded(self) -> None:
        """Forget the failures."""
        with self._lock:
            self._failed = 0

    def failed(self, retry_after: float) -> None:
        """Count a failure; leave the service alone for as long as it asked, or if it failed too often."""
        with self._lock:
            self._failed += 1
            pause = self._pause if self._failed >= self._most else 0.0
            self._open_until = max(self._open_until, self._clock() + max(pause, retry_after))
