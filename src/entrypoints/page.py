"""Serve the dashboard: Streamlit in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from application.errors import PlatformError
from entrypoints.page_settings import Login, PageSettings, from_environment, require_guarded
from entrypoints.settings import Settings

_BESIDE = Path(__file__).resolve().parents[1]
PAGE = (_BESIDE.parent if _BESIDE.name == "src" else _BESIDE) / "dashboard" / "app.py"
"""In a checkout beside the sources, once installed beside their packages."""
GRACE = 3.0
"""Seconds that the page's process gets to end by itself: whoever serves it has five to stop."""
CONNECT_SECONDS = "2"
"""After which a database that does not even refuse counts as away, unless the environment says otherwise."""


class DashboardError(PlatformError):
    """The dashboard can't be served."""


def require_servable(settings: Settings) -> None:
    """Check that the page can be served.

    Raises:
        DashboardError: Streamlit or the page is not installed, or the port is taken.
        SettingsError: others could reach it without a login, or a setting of it can't be used.
    """
    require_guarded(settings.dashboard_host, from_environment(os.environ))
    if find_spec("streamlit") is None:
        raise DashboardError("the dashboard needs Streamlit: install the extra 'dashboard'")
    if not PAGE.exists():
        raise DashboardError(f"the dashboard's pages are not installed: there is no {PAGE}")
    _require_free(settings)


def serve(settings: Settings, stop: Event) -> None:
    """Serve the page until `stop` is set.

    Raises:
        DashboardError: as `require_servable`, or the page's process ended.
    """
    require_servable(settings)
    page = from_environment(os.environ)
    environment = {"PGCONNECT_TIMEOUT": CONNECT_SECONDS} | os.environ
    environment |= {"DATAFLOW_HOME": str(settings.home.resolve()), "PYTHONPATH": _import_path()}
    with (
        _secrets(page) as options,
        subprocess.Popen(_command(settings, options), env=environment, start_new_session=True) as process,  # noqa: S603
    ):
        try:
            while not stop.wait(0.2):
                if process.poll() is not None:
                    raise DashboardError(f"the dashboard's process ended with code {process.returncode}")
        finally:
            _end(process)


def _command(settings: Settings, more: list[str]) -> list[str]:
    options = {
        "server.address": settings.dashboard_host,
        "server.port": settings.dashboard_port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.enableStaticServing": "true",
        # A full collection after each drawing would hold up what is still to be sent; Python collects by itself.
        "runner.postScriptGC": "false",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *given, *more]


def _import_path() -> str:
    """Return the import path with the folder that the package `dashboard` is in."""
    return os.pathsep.join([str(PAGE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def _secrets(page: PageSettings) -> Iterator[list[str]]:
    """Give the option that names the login's settings, in a file that nobody else can read while it serves."""
    if page.login is None:
        yield []
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "secrets.toml"
        path.touch(mode=0o600)
        path.write_text(_as_toml(page.login), encoding="utf-8")
        yield [f"--secrets.files={path}"]


def _as_toml(login: Login) -> str:
    values = {
        "redirect_uri": login.redirect_url,
        "cookie_secret": login.cookie_secret,
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        "server_metadata_url": login.metadata_url,
    }
    # A JSON string is a TOML string too.
    return "\n".join(["[auth]", *(f"{name} = {json.dumps(value)}" for name, value in values.items()), ""])


def _require_free(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.dashboard_host, settings.dashboard_port))
        except OSError as error:
            raise DashboardError(
                f"{settings.dashboard_host}:{settings.dashboard_port} can't be used ({error.strerror}); "
                "choose another with DATAFLOW_DASHBOARD_HOST and DATAFLOW_DASHBOARD_PORT"
            ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
