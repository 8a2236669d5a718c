"""Answers that were dear to get, kept for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, Protocol

from application.errors import PlatformError

MAX_VALUE_BYTES = 1 << 20
"""A greater value is not kept."""


class Fresh(NamedTuple):
    """A value that was just computed, and for how long it may be kept; not at all without a lifetime above 0."""

    value: bytes
    lifetime: timedelta


class Cache(Protocol):
    """Keeps values by key; it may lose any of them at any time, and never makes an answer wrong.

    A key says everything that its value depends on, the version of its encoding included.
    """

    def remember(self, key: str, compute: Callable[[], Fresh]) -> bytes:
        """Return the value kept under `key`, otherwise compute it, keep it for its lifetime, and return it.

        Of several callers that miss the same key at once, one computes; the others wait for it a moment, then
        compute for themselves. What `compute` raises goes to its caller, and nothing is kept. A cache that is
        away computes every time: slower, never wrong, and nothing is raised for it.
        """

    def probe(self) -> None:
        """Ask whether the cache answers.

        Raises:
            CacheUnavailableError: it does not; answers are computed every time meanwhile.
        """


class CacheUnavailableError(PlatformError):
    """The cache does not answer."""
