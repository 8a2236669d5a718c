"""Builds that are kept beside the live tables, each in schemas of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path

from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from adapters.postgres.analytics import PostgresAnalytics
from adapters.postgres.read_model import log, planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.building import complete
from adapters.postgres.read_model.gold_definitions import read_definitions
from adapters.postgres.read_model.made import made_by, schemas_not_of
from adapters.postgres.read_model.moved_rows import Side, find_moved
from adapters.postgres.read_model.others import dependents, made_within
from adapters.postgres.read_model.recorded_time import Known, known_at
from adapters.postgres.read_model.schemas import LIVE as LIVE_SCHEMAS
from adapters.postgres.read_model.schemas import OLD, Schemas
from adapters.postgres.read_model.session import connect, only_rebuild, translated
from adapters.postgres.read_model.swap import refuse_schemas_of_others
from application.ports.builds import (
    LIVE,
    BuildExistsError,
    Comparison,
    InvalidBuildNameError,
    InvalidMomentError,
    KeptBuild,
    MadeBuild,
    MovedRows,
    NoSuchBuildError,
)
from application.ports.listings import Star
from application.ports.read_model import DependentObjectsError, PhaseProgress, SchemaInTheWayError
from application.projections.subject import Subject
from application.queries.definitions import Kpi
from application.replay.shards import Plan, shard_count

_NAME = re.compile(r"(?!build_)[a-z][a-z0-9_]{0,39}")
_RESERVED = (LIVE, OLD)
_KEPT = (
    "SELECT name, purpose, position, recorded_until, code_version, status = 'ready' AS ready, started_at, ready_at"
    " FROM replay.builds WHERE purpose IN ('as-of', 'kept') ORDER BY started_at, name"
)


class KeptAnalytics(PostgresAnalytics):
    """Figures in the gold of a kept build."""

    def __init__(self, pool: ConnectionPool, build: KeptBuild) -> None:
        super().__init__(pool, Schemas.named(build.name).gold)
        self._position = build.position

    def position(self) -> int:
        """Return the position up to which the build is true."""
        return self._position


class PostgresBuilds:
    """The `Builds` port."""

    def __init__(self, conninfo: str, pool: ConnectionPool, subjects: Sequence[Subject], gold_folder: Path) -> None:
        """Read the gold definitions; nothing is connected yet. Raises InvalidGoldDefinitionError."""
        self._conninfo = conninfo
        self._pool = pool
        self._build = Build(subjects, read_definitions(gold_folder, {each.name for each in subjects}))

    def make(self, name: str, as_of: datetime | int, progress: PhaseProgress, *, workers: int = 0) -> MadeBuild:
        """Build the star up to a position or a recorded time, and keep it."""
        _check_name(name)
        with self._exclusive() as conn:
            known = _bound(conn, as_of)
            plan = self._left_over(conn, name, known.position) or self._plan(
                conn, name, known, as_of, shard_count(known.position, workers)
            )
            events = complete(self._conninfo, conn, self._build, plan, workers=workers, progress=progress)
            return MadeBuild(self._find(conn, name), events, known.ahead)

    def plan(self, name: str, as_of: datetime | int, shards: int) -> Plan:
        """Plan what `make` would make, to be carried out step by step; return what was left where it can be used."""
        _check_name(name)
        with self._exclusive() as conn:
            known = _bound(conn, as_of)
            return self._left_over(conn, name, known.position) or self._plan(conn, name, known, as_of, shards)

    def all(self) -> list[KeptBuild]:
        """Return the kept builds, the oldest first."""
        with self._connected() as conn:
            return [replace(each, ready=each.ready and self._is_there(conn, each.name)) for each in _all(conn)]

    def drop(self, name: str) -> None:
        """Drop a kept build."""
        if name == LIVE:
            raise InvalidBuildNameError(f"{LIVE!r} stands for the live tables, which are none of the kept builds")
        with self._exclusive() as conn:
            if planning.is_ready(conn, self._find(conn, name).name):
                refuse_schemas_of_others(conn, name, self._build.made)
            schemas = Schemas.named(name)
            within = made_within(conn, schemas, made_by(conn, name), self._build.made, compared=False)
            if names := dependents(conn, schemas) + within:
                raise DependentObjectsError(
                    f"these hang on the tables of {name} or are beside them, and would be dropped: {', '.join(names)};"
                    f" drop them first. {DependentObjectsError.__doc__}"
                )
            planning.drop_build(conn, name)

    def open(self, name: str) -> tuple[KeptBuild, Star]:
        """Return a build, or the live read models, with the figures in it."""
        with self._connected() as conn:
            if name == LIVE:
                position = log.read_checkpoint(conn)
                return KeptBuild(LIVE, LIVE, position, None, None, True, None, None), PostgresAnalytics(self._pool)
            build = self._find(conn, name)
            if not build.ready:
                raise NoSuchBuildError(f"the build {name!r} was never completed: make it again, or drop it")
            refuse_schemas_of_others(conn, name, self._build.made)
        return build, KeptAnalytics(self._pool, build)

    @contextmanager
    def comparing(self, first: str, second: str) -> Iterator[Comparison]:
        """Give two builds to compare, of one moment: kept ones don't move, and live is seen as it is now."""
        sides = [self.open(name) for name in (first, second)]
        with ExitStack() as stack:
            snapshot = None
            if LIVE in (first, second):
                live = stack.enter_context(PostgresAnalytics(self._pool).moment())
                snapshot, position = live.snapshot(), live.position()
                sides = [(replace(b, position=position), live) if b.name == LIVE else (b, star) for b, star in sides]
            one, other = sides
            yield Comparison(one, other, partial(self._moved_rows, _side(one[0]), _side(other[0]), snapshot))

    def _moved_rows(
        self, first: Side, second: Side, snapshot: str | None, kpis: Sequence[Kpi], limit: int
    ) -> list[MovedRows]:
        with self._connected() as conn:
            conn.isolation_level = IsolationLevel.REPEATABLE_READ
            with conn.transaction():
                if snapshot is not None:
                    conn.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
                return [find_moved(conn, (first, second), kpi, self._build.keys[kpi.fact.name], limit) for kpi in kpis]

    def _plan(self, conn: Connection, name: str, known: Known, as_of: datetime | int, shards: int) -> Plan:
        try:
            return planning.plan(
                conn,
                self._build,
                name=name,
                purpose="as-of",
                upto=known.position,
                shards=shards,
                recorded_until=as_of if isinstance(as_of, datetime) else None,
            )
        except SchemaInTheWayError as error:
            raise BuildExistsError(f"{error}: choose another name than {name!r}") from error

    def _left_over(self, conn: Connection, name: str, position: int) -> Plan | None:
        """Return what a killed one left, if it can be gone on with; drop it if not."""
        plan = planning.find_plan(conn, name)
        if plan is None:
            return None
        if planning.is_ready(conn, name):
            raise BuildExistsError(f"there is a build {name!r} already; `dataflow builds drop {name}` drops it")
        fits = (plan.upto, plan.code_version) == (position, planning.version_of(self._build))
        if fits and planning.stands(conn, name):
            planning.retry_failed(conn, name)
            return plan
        planning.drop_build(conn, name)
        return None

    def _find(self, conn: Connection, name: str) -> KeptBuild:
        builds = {build.name: build for build in _all(conn)}
        if name not in builds:
            raise NoSuchBuildError(f"there is no build {name!r}; there are {', '.join([LIVE, *builds])}")
        return builds[name]

    def _is_there(self, conn: Connection, name: str) -> bool:
        return Schemas.named(name).exist(conn) and not schemas_not_of(conn, name, self._build.made)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with translated(), closing(connect(self._conninfo)) as conn:
            yield conn

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        with translated(), only_rebuild(self._conninfo) as conn:
            yield conn


def kept_builds(conninfo: str, pool: ConnectionPool, subjects: Sequence[Subject]) -> Iterator[PostgresBuilds]:
    """Yield the builds of a database, with the project's gold definitions."""
    with as_file(files("adapters.postgres").joinpath("gold")) as folder:
        yield PostgresBuilds(conninfo, pool, subjects, Path(folder))


def _all(conn: Connection) -> list[KeptBuild]:
    with conn.cursor(row_factory=class_row(KeptBuild)) as cursor:
        return cursor.execute(_KEPT).fetchall()


def _bound(conn: Connection, as_of: datetime | int) -> Known:
    head = log.read_head(conn)
    if isinstance(as_of, datetime):
        if as_of > datetime.now(UTC):
            raise InvalidMomentError(f"{as_of.isoformat()} lies ahead: more may be recorded until then")
        known = known_at(conn, as_of)
        if known.position == 0:
            raise InvalidMomentError(f"nothing was recorded by {as_of.isoformat()}")
        return known
    if not 0 < as_of <= head:
        raise InvalidMomentError(f"position {as_of:,} is not in the log, which ends at {head:,}")
    return Known(as_of, 0)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise InvalidBuildNameError(
            f"{name!r} can't name a build: it takes small letters, digits and _, a letter first, at most 40, and is"
            f" none of {', '.join(_RESERVED)}, build_..."
        )


def _side(build: KeptBuild) -> Side:
    return Side(LIVE_SCHEMAS.gold if build.name == LIVE else Schemas.named(build.name).gold, build.position)
