"""Rebuild and verify: a build aside from the log, caught up, certified, and swapped in or dropped."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import psycopg
from psycopg import Connection, errors

from adapters.postgres.certificates import mark_swapped
from adapters.postgres.read_model import left_behind, log, planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.building import Effort, complete
from adapters.postgres.read_model.certify import certify
from adapters.postgres.read_model.finishing import finish
from adapters.postgres.read_model.refused_rows import named_if_refused
from adapters.postgres.read_model.schemas import LIVE, OLD, Schemas, new_build_name
from adapters.postgres.read_model.session import connect, only_rebuild, settle
from adapters.postgres.read_model.snapshot import shared_snapshot
from adapters.postgres.read_model.swap import (
    end_vacuums,
    refuse_losses,
    refuse_schemas_of_others,
    say_what_stays,
    swap,
)
from adapters.postgres.read_model.waiting import hold_checkpoint
from application.codec import Recorded, decode
from application.ports.read_model import (
    CheckpointMovedError,
    DependentObjectsError,
    NothingKeptError,
    OtherVersionError,
    PhaseProgress,
    ReadersInTheWayError,
    RebuildRunningError,
)
from application.ports.rebuild_steps import NotCertifiedError
from application.replay.certificate import Certificate, Purpose, Rebuilt
from application.replay.shards import Plan, shard_count

_log = logging.getLogger(__name__)
CATCH_UP = 10_000
_TRIES = 20
_PAUSE = 0.05


class Rebuild:
    """One rebuild or verification; `conn` holds the lock that keeps others out."""

    def __init__(self, conninfo: str, conn: Connection, build: Build, progress: PhaseProgress) -> None:
        self._conninfo = conninfo
        self._conn = conn
        self._build = build
        self._progress = progress
        self._name = ""
        self._position = 0
        self._events = 0
        self._started_at = datetime.now(UTC)

    def verify(self, effort: Effort) -> Certificate:
        """Build up to the checkpoint, compare, and drop."""
        with self._aside("verify", log.read_checkpoint(self._conn), effort):
            return self._certify("verify")

    def replace(self, effort: Effort, *, accept_changes: bool) -> Rebuilt:
        """Build, compare, and swap if equal, accepted, or nothing was there to compare with."""
        refuse_losses(self._conn, self._build.made, replaces_kept=True)
        upto = log.read_checkpoint(self._conn) or log.read_head(self._conn)
        with self._aside("rebuild", upto, effort):
            certificate = self.certify()
            if certificate is None:
                with suppress(NotCertifiedError):
                    return self.put_in_place(None)
                certificate = self._certify("rebuild")
            if certificate.equal or accept_changes:
                return self.put_in_place(certificate)
            return Rebuilt(self._position, self._events, False, certificate)

    def replace_onward(self, effort: Effort, *, accept_changes: bool) -> Rebuilt:
        """Build up to the checkpoint and compare as `replace` does, then build up to the end of the log, and swap that.

        The first build is dropped before the second is begun. One that an interrupted run left of the second is gone
        on with after the first was built, and compared, anew.
        """
        upto = log.read_checkpoint(self._conn)
        if not upto:
            return self.replace(effort, accept_changes=accept_changes)
        refuse_losses(self._conn, self._build.made, replaces_kept=True)
        try:
            with self._aside("rebuild", upto, effort, spared=log.read_head(self._conn)):
                certificate = self._certify("rebuild")
            if not certificate.equal and not accept_changes:
                return Rebuilt(self._position, self._events, False, certificate)
            self._count_on()
            with self._aside("rebuild", log.read_head(self._conn), effort, beyond=certificate.position):
                return self.put_in_place(replace(certificate, built_on_to=self._position))
        finally:
            if not self._conn.closed:
                left_behind.drop_left(self._conn)

    def swap_back(self, *, accept_changes: bool) -> Rebuilt:
        """Catch up with what was live before the last swap, and put it back."""
        refuse_schemas_of_others(self._conn, OLD, self._build.made)
        kept = planning.find_plan(self._conn, OLD)
        if kept is None or not Schemas.named(OLD).exist(self._conn):
            raise NothingKeptError(NothingKeptError.__doc__)
        refuse_losses(self._conn, self._build.made, replaces_kept=False)
        if kept.code_version not in {planning.version_of(self._build), planning.UNKNOWN} and not accept_changes:
            raise OtherVersionError(
                f"the kept tables are of version {kept.code_version}: this one would go on with them in its own way."
                " Run that version, or rebuild, or give --accept-changes"
            )
        self._name, self._position = OLD, kept.upto
        try:
            locked = self._swap(None)
        except (errors.UndefinedColumn, errors.UndefinedTable) as error:
            raise OtherVersionError(
                f"{kept.code_version} made the kept tables: {error.diag.message_primary}; run that version, or rebuild"
            ) from error
        return Rebuilt(self._position, self._events, True, None, locked)

    def plan(self, shards: int | None) -> Plan:
        """Plan a build to be carried out step by step, or return the one that was left; `shards` is into how many."""
        refuse_losses(self._conn, self._build.made, replaces_kept=True)
        upto = log.read_checkpoint(self._conn) or log.read_head(self._conn)
        return left_behind.resumable(self._conn, self._build, upto) or self._plan("rebuild", upto, Effort(1, shards))

    def take(self, plan: Plan) -> None:
        """Go on with a build whose shards are done."""
        self._name, self._position = plan.name, plan.upto
        self._events = planning.events_done(self._conn, plan.name)

    def finish(self) -> int:
        """Index silver, select gold, and catch up with the live tables; return the position."""
        finish(self._conninfo, self._build, self._name)
        self._catch_up(log.read_checkpoint(self._conn))
        return self._position

    def certify(self) -> Certificate | None:
        """Compare with the live tables, None where there is nothing live to compare with."""
        return self._certify("rebuild") if log.read_checkpoint(self._conn) else None

    def put_in_place(self, certificate: Certificate | None) -> Rebuilt:
        """Swap in a build that was certified; raises NotCertifiedError where it was not, and something is live."""
        locked = self._swap(certificate)
        return Rebuilt(self._position, self._events, True, certificate, locked)

    @contextmanager
    def _aside(
        self, purpose: Literal["rebuild", "verify"], upto: int, effort: Effort, *, beyond: int = 0, spared: int = 0
    ) -> Iterator[None]:
        """Build aside, or go on with what an interrupted one left; drop it at the end, if it still stands aside.

        Where it was left is `beyond` one position; see `left_behind.resumable` for that, and what is `spared`.
        """
        try:
            plan = left_behind.resumable(self._conn, self._build, upto, beyond=beyond, spared=spared) or self._plan(
                purpose, upto, effort
            )
            self._name, self._position = plan.name, plan.upto
            self._events = complete(
                self._conninfo, self._conn, self._build, plan, workers=effort.workers, progress=self._progress
            )
            yield
        except KeyboardInterrupt:
            settle(self._conn)
            if self._name and self._conn.closed:
                self._drop_over_another_connection()
            raise
        finally:
            settle(self._conn)
            if self._name and not self._conn.closed:
                planning.drop_build(self._conn, self._name)

    def _drop_over_another_connection(self) -> None:
        """Drop the build after an interruption that the connection did not outlive, unless somebody goes on with it."""
        for _ in range(_TRIES):  # the server frees the lock of a connection that is gone a moment later
            with suppress(psycopg.Error, RebuildRunningError), only_rebuild(self._conninfo) as conn:
                planning.drop_build(conn, self._name)
                return
            time.sleep(_PAUSE)

    def _count_on(self) -> None:
        """Report what is done from now on on top of what was, so that rates and times left are right."""
        report, before = self._progress, self._events
        self._progress = lambda phase, done, total: report(phase, before + done, before + total)

    def _plan(self, purpose: Literal["rebuild", "verify"], upto: int, effort: Effort) -> Plan:
        self._progress("plan", 0, upto)
        shards = effort.shards or shard_count(upto, effort.workers)
        # Known before it is there, so that an interruption at any moment drops it.
        self._name = new_build_name()
        return planning.plan(self._conn, self._build, name=self._name, purpose=purpose, upto=upto, shards=shards)

    def _certify(self, purpose: Purpose) -> Certificate:
        """Compare at one position, within a snapshot; followers wait only until it is taken."""
        self._catch_up(log.read_checkpoint(self._conn))
        with ExitStack() as stack:
            with closing(connect(self._conninfo)) as holder, holder.transaction():
                self._meet(hold_checkpoint(self._conninfo, holder))
                first, second = stack.enter_context(shared_snapshot(self._conninfo))
            self._progress("certify", self._events, self._events)
            return certify(
                first,
                LIVE,
                Schemas.named(self._name),
                self._build.keys,
                self._position,
                purpose=purpose,
                started_at=self._started_at,
                beside=second,
            )

    def _swap(self, certificate: Certificate | None) -> float:
        """Catch up and swap in one transaction; return for how many seconds the live tables were locked."""
        end_vacuums(self._conn)
        self._catch_up(log.read_checkpoint(self._conn))
        say_what_stays(self._conn, Schemas.named(self._name))
        with self._conn.transaction():
            refuse_losses(self._conn, self._build.made, replaces_kept=self._name != OLD)
            live = hold_checkpoint(self._conninfo, self._conn)
            if certificate is None and live and live >= self._position and self._name != OLD:
                raise NotCertifiedError(
                    f"a follower has started since {self._name} was found to be the first build: certify it, then put"
                    f" it in place. {NotCertifiedError.__doc__}"
                )
            if certificate is not None and certificate.built_on_to is not None:
                _require_unmoved(live, certificate)
            elif live or certificate is not None:
                self._meet(live)
            self._progress("swap", self._events, self._events)
            if certificate is not None:
                mark_swapped(self._conn, certificate)
            log.move_checkpoint(self._conn, self._position)
            replaced = planning.part_with(self._conn, OLD) if self._name != OLD else None
            planning.note_swap(self._conn, self._name, self._position, live)
            locked_at = swap(self._conn, Schemas.named(self._name))
        locked = time.monotonic() - locked_at
        if replaced is not None:
            self._drop_replaced(replaced)
        return locked

    def _drop_replaced(self, name: str) -> None:
        try:
            planning.drop_build(self._conn, name)
        except (DependentObjectsError, ReadersInTheWayError) as error:  # the swap is done
            _log.warning("the tables of before are not dropped yet, the next rebuild does it: %s", error)

    def _meet(self, live: int) -> None:
        """Catch up with the live tables, which stand still meanwhile."""
        if live < self._position:
            raise CheckpointMovedError(
                f"a follower started during the first build and stands at {live}, the build at"
                f" {self._position}: let the follower catch up, then rebuild again"
            )
        self._catch_up(live)

    def _catch_up(self, to: int) -> None:
        while self._position < to:
            events = log.read_in_log_order(self._conn, self._position, to, CATCH_UP)
            if not events:
                break
            recorded = [Recorded(e.position, e.stream_id, e.version, decode(*e)) for e in events]
            named_if_refused(partial(self._apply, recorded))
            self._position = events[-1].position
            self._events += len(events)
            self._progress("catch up", self._events, self._events)

    def _apply(self, recorded: Sequence[Recorded], naming: bool) -> None:
        with self._conn.transaction():
            self._build.apply(self._conn, Schemas.named(self._name), recorded, naming=naming)
            planning.advance(self._conn, self._name, recorded[-1].position)


def _require_unmoved(live: int, certificate: Certificate) -> None:
    if live != certificate.position:
        raise CheckpointMovedError(
            f"the live tables were compared at position {certificate.position} and stand at {live}: a follower took"
            " them on meanwhile. Nothing was changed; stop it, then rebuild again"
        )


@contextmanager
def exclusive_rebuild(conninfo: str, build: Build, progress: PhaseProgress) -> Iterator[Rebuild]:
    """Give the one rebuild that may run.

    Raises:
        RebuildRunningError: another one is running.
    """
    with only_rebuild(conninfo) as conn:
        yield Rebuild(conninfo, conn, build, progress)
