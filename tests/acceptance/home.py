"""A data folder, and the `dataflow` command on it as a user runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from adapters.postgres.database import ensure_database
from adapters.postgres.migrate import migrate
from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.server import EmbeddedPostgres
from application import codec
from application.projections.registry import SUBJECTS
from tests.acceptance.forked import forked
from tests.integration.star import GOLD
from tests.soak import SOAK

DATAFLOW = str(Path(sys.executable).parent / "dataflow")
PATIENCE = 600.0 if SOAK else 120.0
"""Seconds after which a condition that was waited for counts as failed."""
_PROGRESS = re.compile(r"[\w ]+: [\d,]+( of [\d,]+)? [\w ]+, [\d,]+/s(, [\d,]+ s left)?")


class Home:
    """A data folder with settings of its own; nothing of the caller's DATAFLOW_ variables gets in."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        outside = {name: value for name, value in os.environ.items() if not name.startswith("DATAFLOW_")}
        self._environment = outside | {"DATAFLOW_HOME": str(folder)} | _texts(settings)
        self._server: EmbeddedPostgres | None = None
        self._started: list[subprocess.Popen[str]] = []

    def run(self, *arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, however it ends."""
        return forked().run([*map(str, arguments)], self._environment | _texts(settings), 2 * PATIENCE)

    def do(self, *arguments: object, **settings: object) -> str:
        """Run a command that must succeed; return what it prints."""
        done = self.run(*arguments, **settings)
        assert done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stderr}{done.stdout}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *arguments: object) -> Any:
        """Run a command that must succeed and prints JSON."""
        return json.loads(self.do(*arguments, "--json"))

    def run_all(self, commands: Iterable[tuple[object, ...]]) -> list[subprocess.CompletedProcess[str]]:
        """Run commands that don't get in each other's way, two at a time; return how they ended, in order."""
        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(lambda command: self.run(*command), commands))

    def refusal(self, *arguments: object, **settings: object) -> str:
        """Run a command that must fail; return the one line that it says."""
        return the_one_line(self.run(*arguments, **settings))

    def start(self, *arguments: object, **settings: object) -> subprocess.Popen[str]:
        """Start a command that goes on; where a test leaves it running, it is killed at the end."""
        process = subprocess.Popen(
            [DATAFLOW, *map(str, arguments)],
            env=self._environment | _texts(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def keep_server(self) -> Home:
        """Keep the server running between commands, which makes them faster; a new one starts from a copy."""
        if not (self.folder / "postgres").exists():
            self.copy_unused()
        self._server = EmbeddedPostgres(self.folder)
        return self

    def copy_unused(self) -> None:
        """Have the data of a platform that nobody has used yet, as the first command would make them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Its files belong to the user that the server runs as.
        subprocess.run(["cp", "-a", f"{_unused().name}/postgres", self.folder / "postgres"], check=True)

    def server_pid(self) -> int | None:
        """Return the server's process, None where there is none or it is not ready."""
        lines = self._pid_file()
        return int(lines[0]) if lines[7:] == ["ready"] and psutil.pid_exists(int(lines[0])) else None

    def conninfo(self, database: str = "dataflow") -> str:
        """Return the connection string of the running server, as its own pid file tells it."""
        return make_conninfo(host=self._pid_file()[4], user="postgres", dbname=database)

    def connect(self) -> psycopg.Connection:
        """Connect to the running server."""
        return psycopg.connect(self.conninfo(), autocommit=True)

    def close(self) -> None:
        """End what still runs, and the server, even where a killed command counts as its user still."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        if self._server is not None:
            self._server.stop()
        if (pid := self.server_pid()) is not None:
            os.kill(pid, signal.SIGINT)
            until(lambda: self.server_pid() is None, "the server did not stop")

    def _pid_file(self) -> list[str]:
        try:
            text = (self.folder / "postgres" / "postmaster.pid").read_text()
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]


@cache
def _unused() -> tempfile.TemporaryDirectory[str]:
    """Return a data folder in whose database nothing has happened yet; made once, it takes seconds to make."""
    made = tempfile.TemporaryDirectory(prefix="dataflow-unused-")
    server = EmbeddedPostgres(Path(made.name))
    try:
        ensure_database(server.conninfo(), "dataflow")
        database = server.conninfo("dataflow")
        migrate(database)
        with closing(PostgresReadModel(database, SUBJECTS, GOLD)) as read_model:
            read_model.create()
    finally:
        server.stop()
    return made


def _texts(settings: dict[str, object]) -> dict[str, str]:
    return {f"DATAFLOW_{name.upper()}": str(value) for name, value in settings.items()}


def the_one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the single line with which a command says what is wrong."""
    assert done.returncode not in {0, None}, f"it did not fail: {done.stdout}"
    lines = beside_progress(done)
    assert len(lines) == 1, f"not one line: {done.stderr}"
    assert lines[0].startswith("dataflow: "), lines[0]
    return lines[0].removeprefix("dataflow: ")


def until(condition: Callable[[], object], otherwise: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition, looking at it often, and less so the longer it takes: to look is work for both sides."""
    started = time.monotonic()
    while not condition():
        waited = time.monotonic() - started
        assert waited < seconds, otherwise
        time.sleep(min(0.002 + waited / 50, 0.025))


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a process; return how it ended and what it printed."""
    output, errors = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def event_log(connection: psycopg.Connection) -> list[tuple[str, int, str, Any]]:
    """Return every event, decoded, in the order of streams: where it stands among others does not count."""
    query = (
        "SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events "
        "ORDER BY originator_id, originator_version"
    )
    return [(row[1], row[2], row[3], codec.decode(*row)) for row in connection.execute(query)]


def beside_progress(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of standard error, without the progress that a slow machine gets to see."""
    return [line for line in done.stderr.strip().splitlines() if not _PROGRESS.fullmatch(line)]
