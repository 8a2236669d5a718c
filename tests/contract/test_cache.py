"""What every cache promises, held against each adapter."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest

from adapters.memory.cache import MemoryCache
from application.ports.cache import MAX_VALUE_BYTES, Cache, Fresh
from tests.redis_server import fresh_cache

PATIENCE = 0.5
"""Seconds that a caller waits for another; longer than anything here computes, unless it is held up."""
DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(patience=PATIENCE)
        return
    with fresh_cache(PATIENCE) as redis:
        yield redis


class Computing:
    """Computes the number of its calls."""

    def __init__(self, lifetime: timedelta = DAY, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.calls = 0
        self._lifetime = lifetime
        self._meanwhile = meanwhile

    def __call__(self) -> Fresh:
        self.calls += 1
        value = str(self.calls).encode()
        self._meanwhile()
        return Fresh(value, self._lifetime)


def test_a_value_is_computed_once_and_kept_by_its_key(cache: Cache) -> None:
    compute = Computing()
    assert [cache.remember(key, compute) for key in "abaab"] == [b"1", b"2", b"1", b"1", b"2"]


@pytest.mark.parametrize("value", [b"", bytes(range(256)), "żółć".encode()])
def test_values_come_back_byte_for_byte(cache: Cache, value: bytes) -> None:
    for _ in range(2):
        assert cache.remember("a", lambda: Fresh(value, DAY)) == value
    assert cache.remember("a", Computing()) == value


def test_a_value_is_kept_no_longer_than_its_lifetime(cache: Cache) -> None:
    compute = Computing(timedelta(milliseconds=30))
    assert cache.remember("a", compute) == b"1"
    while cache.remember("a", compute) == b"1":
        assert compute.calls == 1
    assert compute.calls == 2


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1)])
def test_a_value_without_a_lifetime_is_not_kept(cache: Cache, lifetime: timedelta) -> None:
    compute = Computing(lifetime)
    assert [cache.remember("a", compute) for _ in range(2)] == [b"1", b"2"]


def test_a_value_that_is_too_large_is_returned_but_not_kept(cache: Cache) -> None:
    def large(size: int) -> Callable[[], Fresh]:
        return lambda: Fresh(b"x" * size, DAY)

    assert len(cache.remember("a", large(MAX_VALUE_BYTES + 1))) == MAX_VALUE_BYTES + 1
    assert cache.remember("a", Computing()) == b"1"
    assert len(cache.remember("b", large(MAX_VALUE_BYTES))) == MAX_VALUE_BYTES
    assert len(cache.remember("b", Computing())) == MAX_VALUE_BYTES


def test_an_error_goes_to_its_caller_and_the_next_one_computes(cache: Cache) -> None:
    def fail() -> Fresh:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.remember("a", fail)
    assert cache.remember("a", Computing()) == b"1"


def test_of_many_who_miss_a_key_one_computes(cache: Cache) -> None:
    """The one takes long enough for the others to come."""
    everyone = Barrier(20)
    compute = Computing(meanwhile=lambda: Event().wait(0.1))

    def ask(_: int) -> bytes:
        everyone.wait()
        return cache.remember("a", compute)

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(ask, range(20))) == {b"1"}
    assert compute.calls == 1


def test_who_waited_long_enough_computes_for_himself(cache: Cache) -> None:
    started, go_on = Event(), Event()

    def hold() -> None:
        started.set()
        go_on.wait(20)

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(cache.remember, "a", Computing(meanwhile=hold))
        assert started.wait(20)
        assert cache.remember("a", lambda: Fresh(b"own", DAY)) == b"own"
        assert not slow.done()
        go_on.set()
        assert slow.result(20) == b"1"


def test_other_keys_are_not_held_up(cache: Cache) -> None:
    inner = Computing()
    assert cache.remember("a", Computing(meanwhile=lambda: cache.remember("b", inner))) == b"1"
    assert inner.calls == 1


def test_it_says_that_it_answers(cache: Cache) -> None:
    cache.probe()
