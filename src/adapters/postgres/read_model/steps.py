"""A rebuild in steps, behind the port: what is done is noted in the database, nothing is held between two steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from psycopg import Connection

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.builds import PostgresBuilds
from adapters.postgres.read_model.finishing import finish
from adapters.postgres.read_model.gold_definitions import read_definitions
from adapters.postgres.read_model.loading import run_shard
from adapters.postgres.read_model.rebuild import Rebuild, exclusive_rebuild
from adapters.postgres.read_model.session import connect, translated
from application.ports.rebuild_steps import BuildGoneError
from application.projections.subject import Subject
from application.replay.certificate import Certificate, Rebuilt
from application.replay.shards import Plan, Shard, ShardDone

_SWAPPED = "SELECT swapped FROM replay.certificates WHERE number = %s"


class PostgresRebuildSteps:
    """The `RebuildSteps` port; see there."""

    def __init__(self, conninfo: str, subjects: Sequence[Subject], gold_folder: Path, builds: PostgresBuilds) -> None:
        """Read the gold definitions; nothing is connected yet. Raises InvalidGoldDefinitionError."""
        self._conninfo = conninfo
        self._subjects = subjects
        self._builds = builds
        self._build = Build(subjects, read_definitions(gold_folder, {each.name for each in subjects}))

    def plan(self, shards: int, as_of: datetime | int | None = None, into: str | None = None) -> Plan:
        """Plan a build, or return the one that was left."""
        if as_of is not None and into is not None:
            return self._builds.plan(into, as_of, shards)
        with self._rebuild() as rebuild:
            return rebuild.plan(shards)

    def load(self, shard: Shard) -> ShardDone:
        """Load a shard; where it is done, return what came of it."""
        with self._connected() as conn:
            self._find(conn, shard.build)
        with translated():
            return run_shard(self._conninfo, self._subjects, shard)

    def finish(self, build: str) -> int:
        """Make a build complete, and catch up with the live one."""
        with self._rebuild() as rebuild, self._connected() as conn:
            plan = self._find(conn, build)
            planning.require_loaded(conn, plan)
            if plan.purpose == "as-of":
                finish(self._conninfo, self._build, build)
                return plan.upto
            rebuild.take(plan)
            return rebuild.finish()

    def certify(self, build: str, *, accept_changes: bool = False) -> Certificate | None:
        """Compare a build with the live tables; drop it if it differs, unless accepted."""
        with self._rebuild() as rebuild, self._connected() as conn:
            rebuild.take(self._find(conn, build))
            certificate = rebuild.certify()
            if certificate is not None and not certificate.equal and not accept_changes:
                planning.drop_build(conn, build)
            return certificate

    def put_in_place(self, build: str, certificate: Certificate | None) -> Rebuilt:
        """Swap in a build that was certified; where that is done already, say so."""
        with self._rebuild() as rebuild, self._connected() as conn:
            # A certificate says so for ever. A build's row, while it is live or kept, does so also of first builds,
            # which have no certificate, and of those that somebody else certified and put in place.
            if certificate is not None and next(conn.execute(_SWAPPED, [certificate.number]))[0]:
                return Rebuilt(certificate.position, 0, True, certificate)
            if (position := planning.put_in_place_at(conn, build)) is not None:
                return Rebuilt(position, 0, True, certificate)
            rebuild.take(self._find(conn, build))
            return rebuild.put_in_place(certificate)

    def _find(self, conn: Connection, build: str) -> Plan:
        plan = planning.find_plan(conn, build)
        if plan is None:
            raise BuildGoneError(f"{BuildGoneError.__doc__} It was {build}")
        return plan

    @contextmanager
    def _rebuild(self) -> Iterator[Rebuild]:
        with translated(), exclusive_rebuild(self._conninfo, self._build, lambda *_: None) as rebuild:
            yield rebuild

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with translated(), closing(connect(self._conninfo)) as conn:
            yield conn


def rebuild_steps(conninfo: str, subjects: Sequence[Subject], builds: PostgresBuilds) -> Iterator[PostgresRebuildSteps]:
    """Yield the steps of rebuilds of a database, with the project's gold definitions."""
    with as_file(files("adapters.postgres").joinpath("gold")) as folder:
        yield PostgresRebuildSteps(conninfo, subjects, Path(folder), builds)
