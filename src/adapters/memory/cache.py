"""The cache of one process: bounded in bytes, the least recently used value goes first."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock

from cachetools import TLRUCache

from application.ports.cache import MAX_VALUE_BYTES, Fresh

MAX_BYTES = 64 << 20
PATIENCE_SECONDS = 5.0


class MemoryCache:
    """The `Cache` port in memory, for threads of one process; empty when the process starts."""

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept: TLRUCache[str, Fresh, float] = TLRUCache(max_bytes, _end, clock, getsizeof=_size)
        self._under_way: dict[str, Event] = {}
        self._patience = patience
        self._lock = Lock()

    def remember(self, key: str, compute: Callable[[], Fresh]) -> bytes:
        """Return the value kept under a key, or compute it; wait for whoever computes it already."""
        with self._lock:
            kept = self._kept.get(key)
            other = self._under_way.get(key)
            if kept is None and other is None:
                self._under_way[key] = Event()
        if kept is not None:
            return kept.value
        if other is None:
            return self._compute(key, compute)
        other.wait(self._patience)
        with self._lock:
            kept = self._kept.get(key)
        return compute().value if kept is None else kept.value

    def probe(self) -> None:
        """Do nothing: it is there."""

    def _compute(self, key: str, compute: Callable[[], Fresh]) -> bytes:
        try:
            fresh = compute()
            if fresh.lifetime.total_seconds() > 0 and len(fresh.value) <= min(MAX_VALUE_BYTES, self._kept.maxsize):
                with self._lock:
                    self._kept[key] = fresh
            return fresh.value
        finally:
            with self._lock:
                self._under_way.pop(key).set()


def _end(_key: str, fresh: Fresh, now: float) -> float:
    return now + fresh.lifetime.total_seconds()


def _size(fresh: Fresh) -> int:
    return len(fresh.value)
