"""Rebuild and verify: a build aside from the log, caught up, certified, and swapped in or dropped."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from psycopg import Connection

from adapters.postgres import locks
from adapters.postgres.certificates import mark_swapped
from adapters.postgres.read_model import log
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.certify import certify
from adapters.postgres.read_model.schemas import LIVE, Schemas, drop_leftovers
from adapters.postgres.read_model.session import connect
from adapters.postgres.read_model.swap import swap
from application.codec import Recorded, decode
from application.ports.read_model import CheckpointMovedError, PhaseProgress, RebuildRunningError
from application.replay.certificate import Certificate, Purpose, Rebuilt

CATCH_UP = 10_000
REPORT_EVERY = 10_000


class Rebuild:
    """One rebuild or verification; `conn` holds the lock that keeps others out."""

    def __init__(self, conninfo: str, conn: Connection, build: Build, progress: PhaseProgress) -> None:
        self._conninfo = conninfo
        self._conn = conn
        self._build = build
        self._progress = progress
        self._aside = Schemas.aside()
        self._position = 0
        self._events = 0
        self._started_at = datetime.now(UTC)

    def verify(self) -> Certificate:
        """Build up to the checkpoint and compare."""
        self._load(log.read_checkpoint(self._conn))
        self._catch_up(log.read_checkpoint(self._conn))
        with self._conn.transaction():
            self._catch_up(log.lock_checkpoint(self._conn))
            return self._certify("verify")

    def replace(self, accept_changes: bool) -> Rebuilt:
        """Build, compare, and swap if equal, accepted, or nothing was there to compare with."""
        self._load(log.read_checkpoint(self._conn) or log.read_head(self._conn))
        self._catch_up(log.read_checkpoint(self._conn))
        with self._conn.transaction():
            live = log.lock_checkpoint(self._conn)
            if 0 < live < self._position:
                raise CheckpointMovedError(
                    f"a follower started during the first build and stands at {live}, the build at"
                    f" {self._position}: let the follower catch up, then rebuild again"
                )
            self._catch_up(live)
            certificate = self._certify("rebuild") if live and LIVE.exist(self._conn) else None
            swapped = certificate is None or certificate.equal or accept_changes
            if swapped:
                self._progress("swap", self._events, self._events)
                swap(self._conn, self._aside)
                log.move_checkpoint(self._conn, self._position)
                if certificate is not None:
                    mark_swapped(self._conn, certificate)
        return Rebuilt(self._position, self._events, swapped, certificate)

    def drop(self) -> None:
        """Drop what stands aside, if anything still does."""
        if not self._conn.broken:
            self._aside.drop(self._conn)

    def _load(self, upto: int) -> None:
        total = log.count_events(self._conn, upto)
        self._position = upto
        self._build.create_silver(self._conn, self._aside)
        with closing(connect(self._conninfo)) as source, closing(self._read(source, total)) as events:
            self._build.load_silver(self._conn, self._aside, events)
        self._progress("index", self._events, total)
        with self._conn.transaction():
            self._build.finish(self._conn, self._aside)

    def _read(self, source: Connection, total: int) -> Generator[tuple[int, str, int, str, bytes]]:
        with closing(log.read_in_stream_order(source, self._position)) as events:
            for self._events, event in enumerate(events, start=1):
                if self._events % REPORT_EVERY == 0:
                    self._progress("fold", self._events, total)
                yield event
        self._progress("fold", self._events, total)

    def _catch_up(self, to: int) -> None:
        while self._position < to:
            events = log.read_in_log_order(self._conn, self._position, to, CATCH_UP)
            if not events:
                break
            recorded = [Recorded(e.position, e.stream_id, e.version, decode(*e)) for e in events]
            with self._conn.transaction():
                self._build.apply(self._conn, self._aside, recorded)
            self._position = events[-1].position
            self._events += len(events)
            self._progress("catch up", self._events, self._events)

    def _certify(self, purpose: Purpose) -> Certificate:
        self._progress("certify", self._events, self._events)
        return certify(
            self._conn,
            LIVE,
            self._aside,
            self._build.keys,
            self._position,
            purpose=purpose,
            started_at=self._started_at,
        )


@contextmanager
def exclusive_rebuild(conninfo: str, build: Build, progress: PhaseProgress) -> Iterator[Rebuild]:
    """Give the one rebuild that may run; clean up before it what a killed one left, and after it its own.

    Raises:
        RebuildRunningError: another one is running.
    """
    with closing(connect(conninfo)) as conn:
        if not next(conn.execute("SELECT pg_try_advisory_lock(%s)", [locks.REBUILD]))[0]:
            raise RebuildRunningError(RebuildRunningError.__doc__)
        drop_leftovers(conn)
        rebuild = Rebuild(conninfo, conn, build, progress)
        try:
            yield rebuild
        finally:
            rebuild.drop()
