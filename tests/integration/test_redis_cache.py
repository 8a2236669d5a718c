"""Redis that goes away, comes back, hangs, or is shared: slower, never wrong, never down."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from redis.lock import Lock

from adapters.redis.cache import ANSWER_SECONDS, AWAY_SECONDS, RedisCache
from application.ports.cache import CacheUnavailableError, Fresh
from deploy.services import native
from deploy.services.catalogue import SERVERS
from deploy.services.registry import Running
from tests.redis_server import fresh_namespace, redis_url

REDIS = SERVERS["redis"]
DAY = timedelta(days=1)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def remember(cache: RedisCache, value: bytes) -> bytes:
    return cache.remember("a", lambda: Fresh(value, DAY))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """A Redis of the test's own, to be stopped."""
    redis_url()
    running = native.start(REDIS, tmp_path)
    yield running
    native.end(REDIS, running)


def test_without_redis_results_are_computed_and_with_it_kept_again(
    own: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with closing(RedisCache(own.url, clock=clock)) as cache:
        assert [remember(cache, value) for value in (b"1", b"2")] == [b"1", b"1"]
        native.kill(own)
        with caplog.at_level(logging.WARNING):
            assert [remember(cache, value) for value in (b"3", b"4")] == [b"3", b"4"]
        assert len(caplog.records) == 1
        with pytest.raises(CacheUnavailableError, match="does not answer"):
            cache.probe()
        again = native.start(REDIS, tmp_path)
        try:
            assert again.port == own.port
            assert remember(cache, b"5") == b"5"
            clock.now += AWAY_SECONDS
            cache.probe()
            first = remember(cache, b"6")
            assert remember(cache, b"7") == first
        finally:
            native.end(REDIS, again)


def test_a_restart_between_two_questions_is_not_noticed(own: Running, tmp_path: Path) -> None:
    with closing(RedisCache(own.url)) as cache:
        remember(cache, b"1")
        native.end(REDIS, own)
        again = native.start(REDIS, tmp_path)
        try:
            assert remember(cache, b"2") == b"1"
        finally:
            native.end(REDIS, again)


def test_a_redis_that_hangs_is_waited_for_once(own: Running) -> None:
    assert own.pid is not None
    clock = Clock()
    with closing(RedisCache(own.url, clock=clock)) as cache:
        remember(cache, b"1")
        os.kill(own.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            answers = [remember(cache, str(number).encode()) for number in range(100)]
        finally:
            os.kill(own.pid, signal.SIGCONT)
        assert answers == [str(number).encode() for number in range(100)]
        assert time.monotonic() - began < 50 * ANSWER_SECONDS
        clock.now += AWAY_SECONDS
        assert remember(cache, b"2") == b"1"


def test_redis_that_goes_away_while_a_value_is_computed_loses_nothing_but_the_value(own: Running) -> None:
    with closing(RedisCache(own.url)) as cache:

        def compute() -> Fresh:
            native.kill(own)
            return Fresh(b"1", DAY)

        assert cache.remember("a", compute) == b"1"
        assert remember(cache, b"2") == b"2"


def test_a_full_redis_is_no_error(own: Running) -> None:
    with closing(Redis.from_url(own.url)) as redis:
        redis.config_set("maxmemory", 1)
        with closing(RedisCache(own.url)) as cache:
            assert [remember(cache, value) for value in (b"1", b"2")] == [b"1", b"2"]


def test_platforms_on_one_redis_do_not_see_each_other() -> None:
    with (
        fresh_namespace() as one,
        fresh_namespace() as other,
        closing(RedisCache(redis_url(), one)) as first,
        closing(RedisCache(redis_url(), other)) as second,
    ):
        assert [remember(first, b"1"), remember(second, b"2"), remember(first, b"3")] == [b"1", b"2", b"1"]


def test_every_key_names_platform_and_encoding_and_ends_by_itself() -> None:
    with fresh_namespace() as namespace, closing(RedisCache(redis_url(), namespace)) as cache:
        remember(cache, b"1")
        with closing(Redis.from_url(redis_url())) as redis:
            assert list(redis.scan_iter(f"{namespace}:*")) == [f"{namespace}:1:a".encode()]
            assert 0 < redis.pttl(f"{namespace}:1:a") <= DAY.total_seconds() * 1000


def test_the_lock_of_a_killed_process_ends_by_itself() -> None:
    with fresh_namespace() as namespace, closing(Redis.from_url(redis_url())) as redis:
        with closing(RedisCache(redis_url(), namespace)) as cache:
            left: list[int] = []

            def compute() -> Fresh:
                left.append(redis.pttl(f"{namespace}:1:a:lock"))
                return Fresh(b"1", DAY)

            cache.remember("a", compute)
        assert 0 < left[0] <= 30_000
        assert not redis.exists(f"{namespace}:1:a:lock")


def test_an_error_frees_the_lock() -> None:
    def fail() -> Fresh:
        raise ZeroDivisionError

    with fresh_namespace() as namespace, closing(RedisCache(redis_url(), namespace)) as cache:
        with pytest.raises(ZeroDivisionError):
            cache.remember("a", fail)
        with closing(Redis.from_url(redis_url())) as redis:
            assert list(redis.scan_iter(f"{namespace}:*")) == []


def test_a_value_kept_between_looking_and_locking_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        fresh_namespace() as namespace,
        closing(RedisCache(redis_url(), namespace)) as late,
        closing(Redis.from_url(redis_url())) as redis,
    ):
        acquire = Lock.acquire

        def after_another(lock: Lock, **options: bool) -> bool:
            redis.set(f"{namespace}:1:a", b"1", px=10_000)
            return acquire(lock, **options)

        monkeypatch.setattr(Lock, "acquire", after_another)
        assert remember(late, b"2") == b"1"


def test_an_address_that_is_none_is_said_at_once() -> None:
    with pytest.raises(CacheUnavailableError, match="address"):
        RedisCache("http://localhost")


def test_a_password_that_was_not_escaped_is_not_quoted() -> None:
    with pytest.raises(CacheUnavailableError, match="Port could not be cast") as told:
        RedisCache("redis://:hun/ter2@localhost:6379/0")
    assert "hun" not in str(told.value)
