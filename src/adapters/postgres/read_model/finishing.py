"""Finish a build whose shards are done: index silver, select gold from it, over several connections at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue

from psycopg import Connection

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.build import Build
from adapters.postgres.read_model.schemas import Schemas
from adapters.postgres.read_model.session import connect
from adapters.postgres.read_model.stages import Step
from adapters.postgres.read_model.threads import ended_if_interrupted

_SETTINGS = "SET synchronous_commit = off;"
"""What a crash takes back is made again."""
_ALONE = """
SET max_parallel_workers_per_gather = 0;
SET max_parallel_maintenance_workers = 0;
"""
"""Where several connections work, their processes are the parallel part."""
_SIZES = "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"


def finish(
    conninfo: str, build: Build, name: str, *, connections: int = 1, progress: Callable[[str], None] | None = None
) -> None:
    """Make a build complete up to its position; go on where that was interrupted. `progress` is told each stage."""
    with ExitStack() as stack:
        connected = [stack.enter_context(closing(connect(conninfo))) for _ in range(connections)]
        if planning.is_ready(connected[0], name):
            return
        for conn in connected:
            conn.execute(_SETTINGS + (_ALONE if connections > 1 else ""))
        idle: SimpleQueue[Connection] = SimpleQueue()
        for conn in connected:
            idle.put(conn)
        threads = stack.enter_context(ThreadPoolExecutor(connections))
        schemas = Schemas.named(name)
        sizes: dict[str, int] = dict(connected[0].execute(_SIZES, [schemas.silver]).fetchall())
        for number, stage in enumerate(build.stages(schemas)):
            if progress is not None:
                progress(stage.name)
            done = planning.steps_done(connected[0], name, number)
            missing = [(n, step) for n, step in enumerate(stage.steps) if n not in done]
            # What takes longest begins first, so that nobody waits for it at the end.
            missing.sort(key=lambda each: -each[1].times * sum(sizes[table] for table in each[1].reads))
            running = [threads.submit(_run, idle, name, number, *each) for each in missing]
            with ended_if_interrupted(running, connected):
                _wait(running)
        planning.mark_ready(connected[0], name)


def _wait(running: Sequence[Future[None]]) -> None:
    """Wait for all; where one failed, raise that, and begin no other."""
    try:
        for each in running:
            each.result()
    finally:
        for each in running:
            each.cancel()


def _run(idle: SimpleQueue[Connection], name: str, stage: int, number: int, step: Step) -> None:
    """Run a step and note that it is done, in one transaction, on whatever connection has nothing to do."""
    conn = idle.get()
    try:
        with conn.transaction():
            step.run(conn)
            planning.mark_step_done(conn, name, stage, number)
    finally:
        idle.put(conn)
