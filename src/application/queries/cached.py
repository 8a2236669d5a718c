"""Figures from the cache, for as long as the read models don't move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeVar, cast

from msgspec.json import Decoder

from application.ports.analytics import EVERYTHING, Analytics, Measured, Member, Selection
from application.ports.cache import Cache
from application.queries.definitions import Dimension, Kpi
from application.typed_cache import remembered

T = TypeVar("T")

LIFETIME = timedelta(hours=1)
"""A figure is out of use as soon as the read models move; what is left is removed after this."""
_MEASURED: Decoder[list[Measured]] = Decoder(list[Measured])
_MEMBERS: Decoder[list[Member]] = Decoder(list[Member])


class _CachedAnalytics:
    """Answers `measure` and `members` from the cache; all else, moments included, goes to the analytics behind it.

    A key is the whole question, definitions and policies included, with the revision of the read models. That
    is read before the answer, so an answer may be newer than its key says, and is never older.
    """

    def __init__(self, analytics: Analytics, cache: Cache, revision: Callable[[], str]) -> None:
        self._analytics = analytics
        self._cache = cache
        self._revision = revision

    def measure(
        self, kpis: Sequence[Kpi], by: Dimension | None = None, where: Selection = EVERYTHING
    ) -> list[Measured]:
        question = ("measure", tuple(kpis), by, where)
        return self._cached(question, _MEASURED, lambda: self._analytics.measure(kpis, by, where))

    def members(self, dimension: Dimension) -> list[Member]:
        return self._cached(("members", dimension), _MEMBERS, lambda: self._analytics.members(dimension))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._analytics, name)

    def _cached(self, question: tuple[object, ...], decoder: Decoder[T], ask: Callable[[], T]) -> T:
        key = f"query:1:{self._revision()}:{sha256(repr(question).encode()).hexdigest()}"
        return remembered(self._cache, key, decoder, lambda: (ask(), LIFETIME))


def cached(analytics: Analytics, cache: Cache, revision: Callable[[], str]) -> Analytics:
    """Return analytics that ask for the same figures once, as long as `revision` stays the same.

    `revision` names the content of the read models: wherever two contents differ, so do their revisions.
    """
    return cast(Analytics, _CachedAnalytics(analytics, cache, revision))
