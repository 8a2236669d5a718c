"""Typed values in the cache, which itself knows bytes only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import msgspec
from msgspec.json import Decoder

from application.ports.cache import Cache, Fresh

T = TypeVar("T")


def remembered(cache: Cache, key: str, decoder: Decoder[T], compute: Callable[[], tuple[T, timedelta]]) -> T:
    """Return the value kept under `key`, or compute it and for how long it may be kept.

    Values are kept as JSON, and read by `decoder`. Bytes that are no such value, because somebody else wrote
    them, are passed over.
    """

    def fresh() -> Fresh:
        value, lifetime = compute()
        return Fresh(msgspec.json.encode(value), lifetime)

    kept = cache.remember(key, fresh)
    try:
        return decoder.decode(kept)
    except msgspec.DecodeError:
        return compute()[0]
