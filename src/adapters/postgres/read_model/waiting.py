"""Wait for what other sessions hold: say who they are, and end the wait where they do nothing.

A process that was stopped within a transaction keeps its locks for as long as it is there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread
from typing import NamedTuple

import psycopg
from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg.rows import class_row

from adapters.postgres.read_model import log
from adapters.postgres.read_model.schemas import PATIENCE
from adapters.postgres.read_model.session import connect
from application.ports.read_model import HeldByOthersError

_log = logging.getLogger(__name__)
SAY_SECONDS = 5.0
"""After how long a wait is said, as progress is."""
LOOK_SECONDS = 1.0
# At the root: whoever keeps a holder waiting is who is waited for. Who may not see what others do sees their names.
_HOLDERS = """
WITH RECURSIVE ahead (pid) AS (
    SELECT unnest(pg_blocking_pids(%s))
    UNION SELECT unnest(pg_blocking_pids(ahead.pid)) FROM ahead
)
SELECT ahead.pid, application_name AS name, to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since,
    state, state_change::text AS changed,
    coalesce(state = 'active' AND wait_event_type IS DISTINCT FROM 'Client', false) AS works
FROM ahead LEFT JOIN pg_stat_activity a ON a.pid = ahead.pid
WHERE pg_blocking_pids(ahead.pid) = '{}' ORDER BY 1
"""
_CANCEL = "SELECT pg_cancel_backend(%(pid)s) WHERE pg_blocking_pids(%(pid)s) <> '{}'"


class _Holder(NamedTuple):
    """A session that holds what is waited for: since when its transaction goes on, and what it does.

    0 stands for a prepared transaction, which is no session's.
    """

    pid: int
    name: str | None
    since: str | None
    state: str | None
    changed: str | None
    works: bool

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        since = f", in a transaction since {self.since} UTC" if self.since else ""
        return f"session {self.pid} ({self.name or 'without a name'}){since}" + (
            f", {self.state}" if self.state else ""
        )

    @property
    def end(self) -> str:
        """The statement that ends it."""
        return f"SELECT pg_terminate_backend({self.pid})" if self.pid else "ROLLBACK PREPARED"


def hold_checkpoint(conninfo: str, conn: Connection) -> int:
    """Return the checkpoint and hold it until the transaction ends, as `log.lock_checkpoint` does.

    Raises:
        HeldByOthersError: somebody holds it, and does nothing.
    """
    with waiting(conninfo, conn, "the checkpoint of the read models"):
        return log.lock_checkpoint(conn)


@contextmanager
def waiting(conninfo: str, conn: Connection, what: str) -> Iterator[None]:
    """Watch the statement within, which may have to wait for `what`: say for whom, and see that it comes to an end.

    Whoever works is waited for.

    Raises:
        HeldByOthersError: those who hold it did nothing for `PATIENCE` seconds.
    """
    watch = _Watch(conninfo, conn.info.backend_pid, what)
    watch.start()
    try:
        yield
    except QueryCanceled:
        if watch.given_up is None:
            raise
        raise HeldByOthersError(watch.given_up) from None
    finally:
        watch.stop()


class _Watch(Thread):
    """Looks over a connection of its own who keeps a session waiting."""

    def __init__(self, conninfo: str, pid: int, what: str) -> None:
        super().__init__(name="waiting", daemon=True)
        self.given_up: str | None = None
        self._conninfo = conninfo
        self._pid = pid
        self._what = what
        self._over = Event()

    def stop(self) -> None:
        """Look no more: the wait is over."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look, unless the wait is a short one; a server that is gone ends the wait itself."""
        began = time.monotonic()
        if not self._over.wait(SAY_SECONDS):
            with suppress(psycopg.Error), closing(connect(self._conninfo)) as conn:
                self._look(conn, began)

    def _look(self, conn: Connection, still_since: float) -> None:
        seen: Sequence[_Holder] = ()
        say_at = still_since
        while not self._over.is_set():
            holders, now = self._holders(conn), time.monotonic()
            if (seen and holders != seen) or not holders or any(holder.works for holder in holders):
                still_since = now
            seen = holders
            if holders and now >= say_at:
                _log.warning("waiting for %s, which others hold: %s", self._what, _told(holders))
                say_at = now + PATIENCE
            if now - still_since >= PATIENCE:
                self.given_up = self._reason(holders)
                conn.execute(_CANCEL, {"pid": self._pid})
                return
            self._over.wait(LOOK_SECONDS)

    def _holders(self, conn: Connection) -> list[_Holder]:
        with conn.cursor(row_factory=class_row(_Holder)) as cursor:
            return cursor.execute(_HOLDERS, [self._pid]).fetchall()

    def _reason(self, holders: Sequence[_Holder]) -> str:
        return (
            f"{self._what} could not be had, for who holds it has done nothing for {PATIENCE:.0f} s: {_told(holders)}."
            f" Let its process go on, or end it ({'; '.join(holder.end for holder in holders)}), then try again."
            " Nothing was changed"
        )


def _told(holders: Sequence[_Holder]) -> str:
    return " and ".join(map(str, holders))
