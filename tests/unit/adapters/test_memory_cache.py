"""The cache in memory stays within its bounds."""

from datetime import timedelta

from adapters.memory.cache import MemoryCache
from application.ports.cache import Fresh

DAY = timedelta(days=1)


def kept(cache: MemoryCache, key: str) -> bool:
    return cache.remember(key, lambda: Fresh(b"", timedelta(0))) != b""


def test_the_least_recently_used_value_makes_room() -> None:
    cache = MemoryCache(max_bytes=30)
    for key in "abc":
        cache.remember(key, lambda: Fresh(b"x" * 10, DAY))
    assert kept(cache, "a")
    cache.remember("d", lambda: Fresh(b"x" * 10, DAY))
    assert [key for key in "abcd" if kept(cache, key)] == ["a", "c", "d"]


def test_a_value_larger_than_the_whole_cache_drives_nothing_out() -> None:
    cache = MemoryCache(max_bytes=30)
    cache.remember("a", lambda: Fresh(b"x", DAY))
    assert len(cache.remember("b", lambda: Fresh(b"x" * 31, DAY))) == 31
    assert [key for key in "ab" if kept(cache, key)] == ["a"]


def test_lifetimes_are_measured_by_the_clock() -> None:
    now = [100.0]
    cache = MemoryCache(clock=lambda: now[0])
    cache.remember("a", lambda: Fresh(b"x", timedelta(seconds=10)))
    now[0] = 109.9
    assert kept(cache, "a")
    now[0] = 110.0
    assert not kept(cache, "a")
