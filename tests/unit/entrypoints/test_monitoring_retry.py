"""Waiting longer after each failure, and beginning again until a success, a stop, or an error that does not pass."""

from __future__ import annotations

import pytest

from application.errors import PlatformError
from application.ports.event_store import StoreUnavailableError
from entrypoints.monitoring.retry import Backoff, keep_trying


def test_the_span_doubles_with_each_failure_up_to_the_cap() -> None:
    backoff = Backoff(first=0.5, cap=30, share=lambda: 1.0)
    assert [backoff.next() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_the_wait_is_any_share_of_the_span() -> None:
    shares = iter([0.0, 0.25, 0.5])
    backoff = Backoff(first=1, cap=30, share=lambda: next(shares))
    assert [backoff.next() for _ in range(3)] == [0.0, 0.5, 2.0]


def test_a_success_lets_the_waits_begin_anew() -> None:
    backoff = Backoff(first=0.5, cap=30, share=lambda: 1.0)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 0.5


def test_waits_stay_at_the_cap_however_long_the_outage() -> None:
    backoff = Backoff(share=lambda: 1.0)
    assert [backoff.next() for _ in range(5_000)][-1] == 30.0


class Attempts:
    """An attempt that fails with the given errors first; the waits are kept, not waited."""

    def __init__(self, *errors: PlatformError, stop_after: int = 1_000) -> None:
        self.made = 0
        self.waited: list[float] = []
        self.told: list[tuple[str, float]] = []
        self._errors = list(errors)
        self._stop_after = stop_after

    def attempt(self) -> None:
        self.made += 1
        if self._errors:
            raise self._errors.pop(0)

    def run(self) -> None:
        keep_trying(
            self.attempt,
            passes=lambda error: isinstance(error, StoreUnavailableError),
            backoff=Backoff(first=1, cap=30, share=lambda: 1.0),
            wait=self.wait,
            failed=lambda error, seconds: self.told.append((str(error), seconds)),
        )

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return len(self.waited) >= self._stop_after


def test_it_tries_again_until_it_succeeds() -> None:
    attempts = Attempts(StoreUnavailableError("gone"), StoreUnavailableError("still gone"))
    attempts.run()
    assert attempts.made == 3
    assert attempts.waited == [1, 2]
    assert attempts.told == [("gone", 1), ("still gone", 2)]


def test_a_stop_while_waiting_ends_it() -> None:
    attempts = Attempts(*[StoreUnavailableError("gone")] * 5, stop_after=2)
    attempts.run()
    assert attempts.made == 2


def test_an_error_that_does_not_pass_is_raised() -> None:
    attempts = Attempts(StoreUnavailableError("gone"), PlatformError("broken for good"))
    with pytest.raises(PlatformError, match="broken for good"):
        attempts.run()
    assert attempts.waited == [1]
