"""What was seen last: a view is made once for each state of the figures, and kept for when they are away or slow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import BoundedSemaphore, Lock
from typing import Any, Generic, NamedTuple, TypeVar, cast

from application.errors import PlatformError

View = TypeVar("View")
_MADE_AT_ONCE, _ASKED_AT_ONCE = 4, 64


class Seen(NamedTuple, Generic[View]):
    """A view, when it was read, and why it is not of now; `problem` is None where it is.

    Where a newer one is still being made, `late` says so.
    """

    view: View
    at: datetime
    problem: str | None = None
    late: bool = False


class _Kept(NamedTuple):
    revision: str
    seen: Seen[Any]


class LastSeen:
    """Views by question, as many as were asked for lately; sessions that ask the same at once share one answer.

    Few views are made at once, so that the others' questions are not slowed down by all of them together.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._asked: dict[Hashable, Lock] = {}
        self._late: set[Hashable] = set()
        self._lock = Lock()
        self._making = BoundedSemaphore(_MADE_AT_ONCE)
        self._threads = ThreadPoolExecutor(_ASKED_AT_ONCE, "view")

    def see(
        self,
        question: Hashable,
        revision: Callable[[], str],
        make: Callable[[], View],
        now: datetime,
        patience: float | None = None,
    ) -> Seen[View]:
        """Return the view of a question: a new one where `revision` is another than that of the one kept.

        Where it can't be made, the last one comes back with the problem. Where it is not made within `patience`
        seconds, the last one comes back as `late`, and again at once until the new one is there.

        Raises:
            PlatformError: it can't be made, and there was none before.
        """
        answer = self._threads.submit(self._answer, question, revision, make, now)
        kept = self._kept.get(question)
        if kept is None or patience is None:
            return answer.result()
        try:
            return answer.result(0 if question in self._late else patience)
        except TimeoutError:
            self._await(question, answer)
            return cast("Seen[View]", kept.seen._replace(late=True))

    def forget(self, question: Hashable) -> None:
        """Forget a view that was just changed on purpose: whoever asks next waits for the new one."""
        with self._lock:
            self._kept.pop(question, None)

    def _await(self, question: Hashable, answer: Future[Any]) -> None:
        """Note that a question's answer is late until it is there."""
        self._late.add(question)
        answer.add_done_callback(lambda _: self._late.discard(question))

    def _answer(
        self, question: Hashable, revision: Callable[[], str], make: Callable[[], View], now: datetime
    ) -> Seen[View]:
        with self._lock:
            asked = self._asked.setdefault(question, Lock())
        with asked:
            kept = self._kept.get(question)
            try:
                current = revision()
                if kept is None or kept.revision != current:
                    with self._making:
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
