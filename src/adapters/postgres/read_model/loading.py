"""Load a shard of the log into the silver tables of its build: once, however often it is run."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from adapters.postgres.read_model import planning
from adapters.postgres.read_model.schemas import Schemas
from adapters.postgres.read_model.session import connect
from adapters.postgres.read_model.silver_tables import SilverTable
from adapters.postgres.read_model.stream_blocks import prepare, read_blocks
from application.projections.subject import Subject
from application.replay.event_blocks import Block
from application.replay.folding import fold_blocks, subject_finder
from application.replay.shards import Shard, ShardDone

ROWS_IN_MEMORY = 5_000


def run_shard(conninfo: str, subjects: Sequence[Subject], shard: Shard) -> ShardDone:
    """Load a shard on connections of its own; where it is done already, return what came of it.

    Raises:
        UndecodableEventError: an event that no decoder understands; the shard is missing still.
    """
    with closing(Loader(conninfo, subjects)) as loader:
        return loader.load(shard)


class Loader:
    """Loads one shard after the other; keeps a connection that reads and one that writes."""

    def __init__(self, conninfo: str, subjects: Sequence[Subject]) -> None:
        self._source = connect(conninfo)
        self._target = connect(conninfo)
        prepare(self._source)
        # What a crash takes back is a shard with its note that it is done: it is loaded again.
        self._target.execute("SET synchronous_commit = off")
        self._tables = {table.name: SilverTable(table) for subject in subjects for table in subject.tables}
        self._subject_of = subject_finder(subjects)

    def load(self, shard: Shard) -> ShardDone:
        """Write a shard's rows and the note that it is done in one transaction."""
        with self._target.transaction(), _no_collection():
            return planning.claim(self._target, shard) or self._load(shard)

    def load_next(self, build: str, begin: float = 0.0) -> ShardDone | None:
        """Load a shard that is missing; None where none is. Raises as `run_shard` does, and notes it at the shard.

        `begin` is what part of all shards is left to others at first, see `planning.claim_missing`.
        """
        shard = None
        try:
            with self._target.transaction(), _no_collection():
                shard = planning.claim_missing(self._target, build, begin)
                return None if shard is None else self._load(shard)
        except Exception as error:
            if shard is not None and not isinstance(error, psycopg.OperationalError):
                planning.mark_failed(self._target, shard, f"{type(error).__name__}: {error}")
            raise

    def close(self) -> None:
        """Close both connections."""
        self._source.close()
        self._target.close()

    def _load(self, shard: Shard) -> ShardDone:
        started = time.monotonic()
        events = 0

        def counted(blocks: Iterator[Block]) -> Iterator[Block]:
            nonlocal events
            for block in blocks:
                events += block.size
                yield block

        with closing(read_blocks(self._source, self._target, shard)) as blocks:
            self._write(Schemas.named(shard.build).silver, counted(blocks))
        done = ShardDone(shard.build, shard.number, events, time.monotonic() - started, peak_mb())
        planning.mark_done(self._target, done)
        return done

    def _write(self, schema: str, blocks: Iterator[Block]) -> None:
        waiting: dict[str, list[Any]] = {name: [] for name in self._tables}
        for rows in fold_blocks(blocks, self._subject_of):
            for name, added in rows.items():
                waiting[name] += added
                if len(waiting[name]) >= ROWS_IN_MEMORY:
                    self._tables[name].copy(self._target, schema, waiting[name])
                    waiting[name].clear()
        for name, rest in waiting.items():
            if rest:
                self._tables[name].copy(self._target, schema, rest)


def peak_mb() -> float:
    """Return the peak memory of this process so far, in MB."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1e6 if sys.platform == "darwin" else 1e3)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the cycle collector: a fold makes many objects and no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
