"""Ingest: batches of messages from the stream into the event store, each exactly once.

While batches are being committed, the next is read and decided on the states that they make. Each becomes durable
only after the one before it; should its commit fail, what was decided on top is thrown away and decided anew.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Event

from application.ingest.commits import Commit, Decided, await_durable, positions_after, reached
from application.ingest.decision import Decisions, decide_batch, decode_message, decoded_or_bare
from application.ingest.duplicates import Duplicates
from application.ingest.goal import Goal
from application.ingest.observer import BatchReport, Nobody, Observer, Stopwatch
from application.ingest.states import States
from application.ports.event_store import (
    Batch,
    ConcurrencyConflictError,
    EventStore,
    StoreRefusedError,
    StoreUnavailableError,
)
from application.ports.inbox import Balance, Inbox, Reason
from application.ports.message_stream import (
    MessageStream,
    Partition,
    ReceivedMessage,
    StreamUnavailableError,
)

log = logging.getLogger(__name__)

MAX_CACHED_STATES = 25_000
"""States in each of the two generations that are remembered; with large batches more: those on their way stay."""
COMMITS = 2
"""Batches on their way into the store at most: while one waits for the disk, the other's messages are written."""
PASS_SECONDS = 1.0
"""How often positions move beyond what nobody can read while messages come all the time."""
_NO_MESSAGE_AT_FAULT = (StoreUnavailableError, StoreRefusedError)
Taken = Callable[[Balance], None]


def _silent(_: Balance) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Messages a batch at most; how long to wait for the first of one; how long to catch up without any."""

    batch_size: int = 4_000
    poll_seconds: float = 0.5
    patience_seconds: float = 60.0


class Ingest:
    """Takes in messages: bronze, events and positions of a batch are one transaction."""

    def __init__(
        self,
        store: EventStore,
        inbox: Inbox,
        stream: MessageStream,
        now: Callable[[], datetime],
        settings: IngestSettings | None = None,
        *,
        observer: Observer | None = None,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._stream = stream
        self._now = now
        self._settings = settings or IngestSettings()
        self._observer = observer or Nobody()
        self._states = States(store, max(MAX_CACHED_STATES, COMMITS * self._settings.batch_size))
        self._duplicates = Duplicates(inbox)
        self._taken: Taken = _silent
        self._commits: deque[Commit] = deque()
        self._positions: dict[Partition, int] = {}
        self._started = False
        self._next_pass = 0.0

    def behind(self) -> int:
        """Return how many messages are in the stream beyond the positions."""
        return sum(self.lag().values())

    def lag(self) -> dict[Partition, int]:
        """Return how many messages each partition holds beyond its position; any thread may ask."""
        return self._stream.behind(self._inbox.positions())

    def goal(self) -> Goal:
        """Return all that can be read of the stream now."""
        return Goal(self._stream, self._inbox.positions)

    def catch_up(self, progress: Taken = _silent, stop: Event | None = None, goal: Goal | None = None) -> Balance:
        """Take in all messages up to the goal, by default what can be read now; return what became of those taken."""
        total = Balance(0, 0, 0, 0)
        goal, stop = goal or self.goal(), stop or Event()

        def count(taken: Balance) -> None:
            nonlocal total
            total = total.plus(taken)
            progress(taken)

        idle_since, before = time.monotonic(), 0
        while (left := goal.left()) and not stop.is_set():
            if left != before:
                idle_since, before = time.monotonic(), left
            elif time.monotonic() - idle_since > self._settings.patience_seconds:
                raise StreamUnavailableError(f"{left:,} messages are in the stream, but none of them arrives")
            self._run(lambda messages: goal.is_passed_by(messages) or stop.is_set(), count, self._settings.poll_seconds)
        goal.tell_held_back()
        return total

    def run(self, stop: Event, progress: Taken = _silent) -> None:
        """Take in messages until `stop` is set; what is under way then is finished."""
        self._run(lambda _: stop.is_set(), progress, self._settings.poll_seconds)

    def _run(self, ends: Callable[[Sequence[ReceivedMessage]], bool], taken: Taken, wait: float) -> None:
        """Read and decide, one batch ahead of the commits, until `ends` says so of what was read."""
        self._taken = taken
        with ThreadPoolExecutor(COMMITS, thread_name_prefix="commit") as writers:
            try:
                while True:
                    if not self._started:
                        self._restart()
                    messages = self._stream.poll(self._settings.batch_size, 0.0 if self._commits else wait)
                    self._observer.turned()
                    self._advance(messages, writers)
                    if (done := ends(messages)) or not messages or time.monotonic() > self._next_pass:
                        self._pass()
                    if done:
                        self._advance((), writers)
                        return
            except BaseException:
                self._abandon()
                raise

    def _pass(self) -> None:
        """Move on beyond what nobody can read, once all that was read before is committed."""
        self._next_pass = time.monotonic() + PASS_SECONDS
        if passed := self._stream.passed():
            try:
                self._finish_commits(0)
                self._store.append(Batch(positions=passed, reached=self._positions))
                self._positions.update(passed)
                self._stream.acknowledge(passed)
            except ConcurrencyConflictError as conflict:
                self._begin_anew(conflict)

    def _advance(self, messages: Sequence[ReceivedMessage], writers: ThreadPoolExecutor) -> None:
        """Decide a batch while those before it are committed; then send it on its way."""
        decided = self._decide_ahead(messages) if messages else None
        try:
            if not self._finish_commits(0 if decided is None else COMMITS - 1):
                self._take(messages)
            elif decided is not None:
                before = self._commits[-1].done if self._commits else None
                self._commits.append(Commit(decided, writers.submit(self._append, decided, before)))
            else:
                self._take(messages)
        except ConcurrencyConflictError as conflict:
            self._begin_anew(conflict)

    def _finish_commits(self, left: int) -> bool:
        """Wait until so many batches are on their way at most; return False where one of them failed."""
        while len(self._commits) > left or (self._commits and self._commits[0].done.done()):
            commit = self._commits.popleft()
            try:
                commit.done.result()
            except (ConcurrencyConflictError, *_NO_MESSAGE_AT_FAULT):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up the others
                following = self._give_up_commits()
                self._isolate(commit.batch.messages, error)
                for messages in following:
                    self._take(messages)
                return False
            self._committed(commit.batch)
        return True

    def _give_up_commits(self) -> list[Sequence[ReceivedMessage]]:
        """Wait for the batches on their way, whatever becomes of them; return their messages."""
        given_up = []
        while self._commits:
            commit = self._commits.popleft()
            commit.done.exception()
            given_up.append(commit.batch.messages)
        return given_up

    def _decide_ahead(self, messages: Sequence[ReceivedMessage]) -> Decided | None:
        """Decide on top of the batches that are being committed; None where that fails for no known reason."""
        in_flight = set[str]().union(*(commit.batch.decisions.message_ids for commit in self._commits))
        try:
            return self._decide(messages, in_flight)
        except _NO_MESSAGE_AT_FAULT:
            raise
        except ConcurrencyConflictError as conflict:
            log.info("a batch of %d messages is decided anew: %s", len(messages), conflict)
        except Exception as error:  # noqa: BLE001 - found and put aside once the commit is through
            log.warning("a batch of %d messages failed: %r", len(messages), error)
        self._forget()
        return None

    def _take(self, messages: Sequence[ReceivedMessage]) -> None:
        """Decide and append a batch by itself; where that fails for no known reason, halve it."""
        if not messages:
            return
        try:
            decided = self._decide(messages, ())
            self._append(decided)
        except (ConcurrencyConflictError, *_NO_MESSAGE_AT_FAULT):
            raise
        except Exception as error:  # noqa: BLE001 - halving finds the message at fault
            self._isolate(messages, error)
            return
        self._committed(decided)

    def _isolate(self, messages: Sequence[ReceivedMessage], error: Exception) -> None:
        """Halve a batch that failed until the message at fault stands alone, and quarantine that."""
        self._forget()
        if len(messages) == 1:
            self._quarantine_unexpected(messages[0], error)
            return
        log.warning("a batch of %d messages failed, halving it: %r", len(messages), error)
        middle = len(messages) // 2
        self._take(messages[:middle])
        self._take(messages[middle:])

    def _decide(self, messages: Sequence[ReceivedMessage], in_flight: Collection[str]) -> Decided:
        watch = Stopwatch()
        decoded = [decode_message(message) for message in messages]
        watch.done("decode")
        seen = self._duplicates.among(decoded, in_flight)
        decisions = decide_batch(decoded, seen=seen, load=self._states.load, received_at=self._now())
        self._states.require_current(decisions.refused)
        watch.done("decide")
        return self._decided(messages, decisions, watch)

    def _decided(self, messages: Sequence[ReceivedMessage], decisions: Decisions, watch: Stopwatch) -> Decided:
        return Decided(messages, decisions, positions_after(messages), reached(self._positions, self._commits), watch)

    def _append(self, batch: Decided, before: Future[None] | None = None) -> None:
        batch.watch.start()
        decisions = batch.decisions
        after = None if before is None else partial(await_durable, before)
        self._store.append(Batch(decisions.events, decisions.receipts, (), batch.positions, batch.reached, after=after))
        batch.watch.done("append")

    def _quarantine_unexpected(self, message: ReceivedMessage, error: Exception) -> None:
        watch = Stopwatch()
        decoded = decoded_or_bare(message)
        seen = self._duplicates.among([decoded], ())
        decoded.reason = Reason("UnexpectedError", f"{type(error).__name__}: {error}".replace("\x00", ""))
        log.error("unexpected error in message %s, put in quarantine", decoded.source, exc_info=error)
        decisions = decide_batch([decoded], seen=seen, load=lambda _: {}, received_at=self._now())
        watch.done("decide")
        decided = self._decided([message], decisions, watch)
        self._append(decided)
        self._committed(decided)

    def _committed(self, batch: Decided) -> None:
        decisions, balance = batch.decisions, batch.decisions.balance()
        self._positions.update(batch.positions)
        self._stream.acknowledge(batch.positions)
        self._taken(balance)
        events, positions, steps = len(decisions.events), batch.positions, batch.watch.steps
        self._observer.committed(BatchReport(balance, batch.messages, decisions.receipts, events, positions, steps))

    def _begin_anew(self, conflict: ConcurrencyConflictError) -> None:
        log.info("another writer was first, reading on from the recorded positions: %s", conflict)
        self._restart()

    def _restart(self) -> None:
        """Begin at the recorded positions, with nothing remembered."""
        self._abandon()
        self._positions = dict(self._inbox.positions())
        self._stream.seek(self._positions)
        self._started = True

    def _abandon(self) -> None:
        """Wait for the batches on their way, whatever becomes of them, and forget what was built on them."""
        self._give_up_commits()
        self._forget()
        self._started = False

    def _forget(self) -> None:
        """Remember nothing, and ask about every message whether it was received before."""
        self._states.forget()
        self._duplicates.suspect()
