"""What was seen last: a view is made once for each state of the figures, and kept for when they are away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar, cast

from application.errors import PlatformError

View = TypeVar("View")


class Seen(NamedTuple, Generic[View]):
    """A view, when it was read, and why it is not of now; `problem` is None where it is."""

    view: View
    at: datetime
    problem: str | None = None


class _Kept(NamedTuple):
    revision: str
    seen: Seen[Any]


class LastSeen:
    """Views by question, as many as were asked for lately; sessions that ask the same at once share one answer."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._asked: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def see(
        self, question: Hashable, revision: Callable[[], str], make: Callable[[], View], now: datetime
    ) -> Seen[View]:
        """Return the view of a question: a new one where `revision` is another than that of the one kept.

        Where it can't be made, the last one comes back with the problem.

        Raises:
            PlatformError: it can't be made, and there was none before.
        """
        with self._lock:
            asked = self._asked.setdefault(question, Lock())
        with asked:
            kept = self._kept.get(question)
            try:
                current = revision()
                if kept is None or kept.revision != current:
                    kept = _Kept(current, Seen(make(), now))
            except PlatformError as error:
                if kept is None:
                    raise
                return cast("Seen[View]", kept.seen._replace(problem=" ".join(str(error).split())))
            self._keep(question, kept._replace(seen=kept.seen._replace(at=now)))
            return cast("Seen[View]", self._kept[question].seen)

    def _keep(self, question: Hashable, kept: _Kept) -> None:
        with self._lock:
            self._kept[question] = kept
            self._kept.move_to_end(question)
            while len(self._kept) > self._most:
                gone, _ = self._kept.popitem(last=False)
                self._asked.pop(gone, None)
