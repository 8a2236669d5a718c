"""The read models in PostgreSQL, behind the port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from psycopg import Connection

from adapters.postgres import locks
from adapters.postgres.read_model import log, planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.building import Effort
from adapters.postgres.read_model.gold_definitions import read_definitions
from adapters.postgres.read_model.rebuild import exclusive_rebuild
from adapters.postgres.read_model.refused_rows import named_if_refused
from adapters.postgres.read_model.sample import Sample
from adapters.postgres.read_model.schemas import LIVE
from adapters.postgres.read_model.session import connect, of_this_version, translated
from adapters.postgres.read_model.waiting import hold_checkpoint, waiting
from application.codec import Recorded
from application.ports.read_model import CheckpointMovedError, PhaseProgress, SchemaInTheWayError
from application.projections.subject import Subject
from application.replay.certificate import Certificate, Rebuilt


class PostgresReadModel:
    """Implements `ReadModel` on the schemas silver, gold and events of one database.

    Keeps one connection between calls, so one instance serves one thread; `close` it at the end.
    """

    def __init__(self, conninfo: str, subjects: Sequence[Subject], gold_folder: Path) -> None:
        """Read the gold definitions; nothing is connected yet.

        Raises:
            InvalidGoldDefinitionError: a gold file's header is malformed.
        """
        self._conninfo = conninfo
        self._subjects = subjects
        self._build = Build(subjects, read_definitions(gold_folder, {each.name for each in subjects}))
        self._kept: Connection | None = None

    def create(self) -> None:
        """Create the live tables unless they exist, empty and at the start of the log.

        The tables of the event store must exist.

        Raises:
            SchemaInTheWayError: one of the two schemas is there alone.
            HeldByOthersError: somebody else creates them, and does nothing.
        """
        with self._connection() as conn, conn.transaction():
            with waiting(self._conninfo, conn, "the making of the read models' first tables"):
                conn.execute("SELECT pg_advisory_xact_lock(%s)", [locks.READ_MODEL_CREATION])
            there = LIVE.there(conn)
            if len(there) == 1:
                (missing,) = {*LIVE} - {*there}
                raise SchemaInTheWayError(
                    f"there is a schema {there[0]} and none named {missing}: where nothing in it is to be kept,"
                    f" DROP SCHEMA {there[0]} CASCADE; then both are made anew from the log"
                )
            if not there:
                self._build.create_empty(conn, LIVE)
                log.forget_checkpoint(conn)
                planning.note_live(conn, self._build)

    def position(self) -> int:
        """Return the position of the last event applied, 0 before the first."""
        with self._connection() as conn:
            return log.read_checkpoint(conn)

    def apply(self, events: Sequence[Recorded], after: int) -> None:
        """Apply events that directly follow position `after`, with the checkpoint, in one transaction."""
        with self._connection() as conn, of_this_version():
            named_if_refused(partial(self._apply, conn, events, after))

    def rebuild(
        self,
        progress: PhaseProgress,
        *,
        accept_changes: bool = False,
        workers: int = 0,
        shards: int | None = None,
        onward: bool = False,
    ) -> Rebuilt:
        """Build anew aside, and swap it in if equal to the live tables, or if changes are accepted."""
        with translated(), exclusive_rebuild(self._conninfo, self._build, progress) as rebuild:
            replace = rebuild.replace_onward if onward else rebuild.replace
            return replace(Effort(workers, shards), accept_changes=accept_changes)

    def swap_back(self, progress: PhaseProgress, *, accept_changes: bool = False) -> Rebuilt:
        """Put back what was live before the last swap, caught up."""
        with translated(), exclusive_rebuild(self._conninfo, self._build, progress) as rebuild:
            return rebuild.swap_back(accept_changes=accept_changes)

    def verify(self, progress: PhaseProgress, *, workers: int = 0, shards: int | None = None) -> Certificate:
        """Build anew aside, compare with the live tables, and drop it."""
        with translated(), exclusive_rebuild(self._conninfo, self._build, progress) as rebuild:
            return rebuild.verify(Effort(workers, shards))

    def verify_sample(self, streams: int, seed: int) -> Certificate:
        """Fold up to `streams` random streams again, and compare their rows and the gold that they touch."""
        with self._connection() as conn, of_this_version():
            return Sample(conn, self._build, self._subjects, seed).verify(streams)

    def close(self) -> None:
        """Close the kept connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _apply(self, conn: Connection, events: Sequence[Recorded], after: int, naming: bool) -> None:
        with conn.transaction():
            current = hold_checkpoint(self._conninfo, conn)
            if current != after:
                raise CheckpointMovedError(
                    f"the read models stand at position {current}, not {after}: another follower was faster"
                )
            self._build.apply(conn, LIVE, events, naming=naming)
            log.move_checkpoint(conn, events[-1].position)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with translated():
            if self._kept is None or self._kept.closed:
                self._kept = connect(self._conninfo)
            yield self._kept
