"""The cache that several processes share, in Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock as ThreadLock
from typing import TypeVar, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import LockNotOwnedError, RedisError
from redis.lock import Lock
from redis.retry import Retry

from application.ports.cache import MAX_VALUE_BYTES, CacheUnavailableError, Fresh

log = logging.getLogger(__name__)
T = TypeVar("T")

ANSWER_SECONDS = 0.5
AWAY_SECONDS = 5.0
"""How long Redis is left alone once it failed to answer, so that an outage is waited for once and not every time."""
PATIENCE_SECONDS = 5.0
LOCK_SECONDS = 30.0
LOOK_SECONDS = 0.02
ENCODING = 1
"""Part of every key: a change of how keys or values are written begins with an empty cache."""


class RedisCache:
    """The `Cache` port on a Redis server; its keys begin with the namespace, so that platforms can share one."""

    def __init__(
        self,
        url: str,
        namespace: str = "dataflow",
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._redis = Redis.from_url(
                url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                # The client replaces a connection that the server closed by itself; an outage is not waited for.
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            # What the client quotes of it may be a piece of the password.
            said = str(error).partition(" as ")[0]
            raise CacheUnavailableError(f"the address of Redis can't be used: {said}") from error
        self._prefix = f"{namespace}:{ENCODING}:"
        self._patience = patience
        self._clock = clock
        self._state = ThreadLock()
        self._away_until = clock()

    def remember(self, key: str, compute: Callable[[], Fresh]) -> bytes:
        """Return the value kept under a key, or compute it; wait for whoever computes it already."""
        name = self._prefix + key
        lock = self._redis.lock(f"{name}:lock", timeout=LOCK_SECONDS)
        kept, held = self._await(name, lock)
        if kept is not None:
            return kept
        try:
            # Whoever held the lock before may have been done since the value was looked for.
            if held and (kept := self._get(name)) is not None:
                return kept
            fresh = compute()
            self._keep(name, fresh)
            return fresh.value
        finally:
            if held:
                self._asked(lambda: _release(lock))

    def probe(self) -> None:
        """Ask Redis, whether it was away or not."""
        try:
            self._redis.ping()
        except RedisError as error:
            raise CacheUnavailableError(f"Redis does not answer: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _await(self, name: str, lock: Lock) -> tuple[bytes | None, bool]:
        """Return the value once it is there, or whether this caller holds the lock on computing it."""
        deadline = self._clock() + self._patience
        while True:
            if (kept := self._get(name)) is not None:
                return kept, False
            held = self._asked(lambda: lock.acquire(blocking=False))
            if held or held is None or self._clock() >= deadline:
                return None, bool(held)
            time.sleep(LOOK_SECONDS)

    def _get(self, name: str) -> bytes | None:
        return cast(bytes | None, self._asked(lambda: self._redis.get(name)))

    def _keep(self, name: str, fresh: Fresh) -> None:
        milliseconds = int(fresh.lifetime.total_seconds() * 1000)
        if milliseconds > 0 and len(fresh.value) <= MAX_VALUE_BYTES:
            self._asked(lambda: self._redis.set(name, fresh.value, px=milliseconds))

    def _asked(self, command: Callable[[], T]) -> T | None:
        """Return what Redis answers, None while it is away."""
        if self._clock() < self._away_until:
            return None
        try:
            return command()
        except RedisError as error:
            with self._state:
                self._away_until = self._clock() + AWAY_SECONDS
            log.warning("Redis does not answer, results are computed for %.0f s: %s", AWAY_SECONDS, error)
            return None


def _release(lock: Lock) -> None:
    try:
        lock.release()
    except LockNotOwnedError:
        log.info("computing took longer than the lock on it was held")
