"""Serve the dashboard: Streamlit in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from application.errors import PlatformError
from entrypoints.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
GRACE = 5.0
"""Seconds that the page's process gets to end by itself."""


class DashboardError(PlatformError):
    """The dashboard can't be served."""


def require_servable(settings: Settings) -> None:
    """Check that the page can be served.

    Raises:
        DashboardError: Streamlit or the page is not installed, or the port is taken.
    """
    if find_spec("streamlit") is None or not PAGE.exists():
        raise DashboardError("the dashboard is not installed: install the extra 'dashboard' in a checkout")
    _require_free(settings)


def serve(settings: Settings, stop: Event) -> None:
    """Serve the page until `stop` is set.

    Raises:
        DashboardError: as `require_servable`, or the page's process ended.
    """
    require_servable(settings)
    options = {
        "server.address": settings.dashboard_host,
        "server.port": settings.dashboard_port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(PAGE)]
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = os.environ | {"DATAFLOW_HOME": str(settings.home.resolve())}
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:  # noqa: S603
        try:
            while not stop.wait(0.2):
                if process.poll() is not None:
                    raise DashboardError(f"the dashboard's process ended with code {process.returncode}")
        finally:
            _end(process)


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
