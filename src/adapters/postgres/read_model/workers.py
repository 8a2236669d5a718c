"""Worker processes for a build's shards: started, watched, replaced when they die."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from selectors import EVENT_READ, DefaultSelector
from typing import IO

import msgspec

from adapters.postgres.read_model.worker import Order
from application.ports.read_model import WorkersLostError
from application.replay.shards import ShardDone

REPLACEMENTS = 3
"""How many workers of a build are replaced before it is given up."""


class Workers:
    """The processes that load one build. A context manager: at its end none of them is left."""

    def __init__(self, conninfo: str, build: str, count: int, done: Callable[[ShardDone], None]) -> None:
        """Start `count` workers; `done` is called for each shard that one of them has loaded."""
        self._done = done
        self._running = DefaultSelector()
        self._replacements = REPLACEMENTS
        for number in range(count):
            self._start(Order(conninfo, build, number / count))

    def __enter__(self) -> Workers:
        """Give the workers."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill whoever still works, and wait for the end."""
        for key in list(self._running.get_map().values()):
            key.data.kill()
            self._ended(key.data)
        self._running.close()

    def run(self, lost: Callable[[], None]) -> None:
        """Wait until no shard is missing.

        `lost` is called when a worker died; it raises where there is a reason, and then nobody takes its place.

        Raises:
            WorkersLostError: workers died again and again, for no reason that they could tell.
        """
        while self._running.get_map():
            for key, _ in self._running.select():
                line = key.data.output.readline()
                if line:
                    self._done(msgspec.json.decode(line, type=ShardDone))
                elif (last_words := self._ended(key.data)) is not None:
                    lost()
                    self._replace(key.data, last_words)

    def _start(self, order: Order) -> None:
        worker = _Worker(order)
        self._running.register(worker.output, EVENT_READ, worker)

    def _replace(self, worker: _Worker, last_words: str) -> None:
        if not self._replacements:
            raise WorkersLostError(f"{REPLACEMENTS + 1} workers of the build died, the last one with {last_words}")
        self._replacements -= 1
        self._start(worker.order)

    def _ended(self, worker: _Worker) -> str | None:
        self._running.unregister(worker.output)
        return worker.end()


class _Worker:
    """One process."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(
            [sys.executable, "-m", "adapters.postgres.read_model.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input: IO[bytes] = self._process.stdin
        self.output: IO[bytes] = self._process.stdout
        with suppress(BrokenPipeError):
            self._input.write(msgspec.json.encode(asdict(order)) + b"\n")

    def kill(self) -> None:
        """Let it end now; what it has not committed is taken back by the database."""
        self._process.kill()

    def end(self) -> str | None:
        """Wait for the end; return None where it was a good one, else how it died and what it said last."""
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        for file in (self._input, self.output, self._errors):
            file.close()
        return None if code == 0 else f"exit code {code}" + (f": {said[-1]}" if said else "")
