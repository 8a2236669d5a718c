"""Commands that go on, watched over HTTP, and a database that they reach by its address."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psutil
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict

from tests.acceptance.home import Home, ended, free_port, until

STOP_SECONDS = 5.0
"""In which the processes that carry the platform end, whatever their servers do; the demo and the page name no time."""
_SEEDS = count(11)


class Database:
    """A PostgreSQL server that commands reach by its address, so that none of them starts it again."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder).keep_server()
        self.home.do("status")
        self.url = f"postgresql://postgres@/dataflow?host={quote(str(conninfo_to_dict(self.home.conninfo())['host']))}"

    def generate(self, orders: int = 5) -> None:
        """Publish a few messages, some of them broken."""
        start = ("--orders", orders, "--days", 9, "--start", "2026-01-05", "--broken", 0.05)
        self.home.do("generate", *start, "--seed", next(_SEEDS), "--duplicates", 0.05)

    def crash(self) -> None:
        """End the server as a crash does."""
        pid = self.home.server_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        until(lambda: _is_gone(pid), "the server does not end")

    def restart(self) -> None:
        """Start the server again."""
        self.home.keep_server()


def _is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Running(NamedTuple):
    """A command that goes on, and the port where it tells how it does."""

    process: subprocess.Popen[str]
    port: int

    def answer(self, path: str) -> tuple[int, str]:
        """Return status and text of a page; 0 where nothing is served yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return 0, ""

    def is_ready(self) -> bool:
        """Return whether it says that it is ready, while it runs."""
        assert self.process.poll() is None, ended(self.process)
        return self.answer("/ready") == (200, "ready\n")

    def is_away(self) -> bool:
        """Return whether it says that it can't work, while it runs."""
        assert self.process.poll() is None, ended(self.process)
        return self.answer("/ready")[0] == 503

    def figures(self) -> dict[str, float]:
        """Return the metrics: the value of each name, with its labels, if any."""
        families = text_string_to_metric_families(self.answer("/metrics")[1])
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in families
            for sample in family.samples
        }

    def lag(self) -> list[float]:
        """Return the lag of each partition."""
        return [value for name, value in self.figures().items() if name.startswith("dataflow_consume_lag_messages")]

    def stop(
        self, number: signal.Signals = signal.SIGTERM, within: float = STOP_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Ask it to end; it must do so in time, and say that all is well."""
        asked = time.monotonic()
        self.process.send_signal(number)
        done = ended(self.process)
        took = time.monotonic() - asked
        assert took < within, f"{done.args} took {took:.1f} s to end: {done.stderr}"
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done


@contextmanager
def started(home: Home, command: str, **settings: object) -> Iterator[Running]:
    """Start a command that answers; it is ended at the latest when the context is."""
    port = free_port()
    running = Running(home.start(command, health_port=port, **settings), port)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()
