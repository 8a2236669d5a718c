"""Carry out a plan: load its shards, here or in worker processes, and finish it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from psycopg import Connection

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.finishing import finish
from adapters.postgres.read_model.loading import Loader
from adapters.postgres.read_model.workers import Workers
from application.ports.read_model import PhaseProgress
from application.replay.shards import Plan, ShardDone


@dataclass(frozen=True, slots=True)
class Effort:
    """How a build is carried out.

    `workers` processes load the registered subjects; with 0, this one loads those of the build. `shards` is into
    how many parts the log is cut, by default as many as suit log and workers.
    """

    workers: int = 0
    shards: int | None = None


def complete(
    conninfo: str, conn: Connection, build: Build, plan: Plan, *, workers: int, progress: PhaseProgress
) -> int:
    """Load what is missing of a planned build, and finish it; return the number of events in its shards.

    `progress(phase, done, total)` counts events; the total is an estimate while shards are loaded.

    Raises:
        UndecodableEventError: an event that no decoder understands.
        WorkersLostError: worker processes died again and again.
        ShardsMissingError: a shard failed elsewhere meanwhile.
    """
    events = planning.events_done(conn, plan.name)

    def count(done: ShardDone) -> None:
        nonlocal events
        events += done.events
        progress("fold", events, max(events, plan.upto))

    progress("fold", events, max(events, plan.upto))
    if workers and planning.missing_shards(conn, plan.name):
        with Workers(conninfo, plan.name, workers, count) as processes:
            processes.run(lambda: _raise_the_reason(conninfo, conn, build, plan.name))
    with closing(Loader(conninfo, build.subjects)) as loader:
        while (done := loader.load_next(plan.name)) is not None:
            count(done)
    planning.require_loaded(conn, plan)
    events = planning.events_done(conn, plan.name)  # a worker that was killed may not have said all it did
    progress("fold", events, events)
    finish(
        conninfo, build, plan.name, connections=max(1, workers), progress=lambda stage: progress(stage, events, events)
    )
    return events


def _raise_the_reason(conninfo: str, conn: Connection, build: Build, name: str) -> None:
    """Load again, here, the shard that a worker could not load: the error is raised as it is."""
    shard = planning.failed_shard(conn, name)
    if shard is not None:
        with closing(Loader(conninfo, build.subjects)) as loader:
            loader.load(shard)
