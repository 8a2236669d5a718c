"""Finish a build whose shards are done: index silver, select gold from it, over several connections at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue

from psycopg import Connection

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.build import Build, Step
from adapters.postgres.read_model.schemas import Schemas
from adapters.postgres.read_model.session import connect

_SETTINGS = """
SET synchronous_commit = off;
SET default_statistics_target = 20;
"""
"""What a crash takes back is made again. A smaller sample is enough until the server gathers statistics itself."""


def finish(
    conninfo: str, build: Build, name: str, *, connections: int = 1, progress: Callable[[str], None] | None = None
) -> None:
    """Make a build complete up to its position; go on where that was interrupted. `progress` is told each stage."""
    with ExitStack() as stack:
        connected = [stack.enter_context(closing(connect(conninfo))) for _ in range(connections)]
        if planning.is_ready(connected[0], name):
            return
        for conn in connected:
            conn.execute(_SETTINGS)
        idle: SimpleQueue[Connection] = SimpleQueue()
        for conn in connected:
            idle.put(conn)
        threads = stack.enter_context(ThreadPoolExecutor(connections))
        for number, stage in enumerate(build.stages(Schemas.named(name))):
            if progress is not None:
                progress(stage.name)
            done = planning.steps_done(connected[0], name, number)
            missing = [(n, step) for n, step in enumerate(stage.steps) if n not in done]
            list(threads.map(lambda each, of=number: _run(idle, name, of, *each), missing))
        planning.mark_ready(connected[0], name)


def _run(idle: SimpleQueue[Connection], name: str, stage: int, number: int, step: Step) -> None:
    """Run a step and note that it is done, in one transaction, on whatever connection has nothing to do."""
    conn = idle.get()
    try:
        with conn.transaction():
            step(conn)
            planning.mark_step_done(conn, name, stage, number)
    finally:
        idle.put(conn)
