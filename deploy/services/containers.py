"""Run a server as a container of docker-compose.yml, on the same terms as a process of this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from deploy.services.process import await_answer, free_port, run
from deploy.services.registry import Running
from deploy.services.server import HOST, Server

_FILE = Path(__file__).with_name("docker-compose.yml")
_PROJECT = "dataflow-services-" + hashlib.sha256(str(_FILE).encode()).hexdigest()[:8]
_ENGINE_SECONDS = 10


def engine_answers() -> bool:
    """Whether Docker is here, its engine answers, and it knows `docker compose`."""
    if not shutil.which("docker"):
        return False
    return all(_succeeds(["docker", *words]) for words in (["info"], ["compose", "version"]))


def start(server: Server, folder: Path) -> Running:
    """Start a server's container, on the port that it had before if that's free; its data stays in its volume.

    Raises:
        ServiceError: the container can't be started, or doesn't answer in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remembered = folder / "port"
    port = free_port(int(remembered.read_text()) if remembered.exists() else None)
    _compose(port, "up", "--detach", "--no-deps", server.name)
    remembered.write_text(str(port))
    log = folder / "server.log"
    await_answer(lambda: server.answers(port), lambda: True, log, server.start_seconds)
    return Running(server.name, server.url(port), port, None, None, f"docker compose -p {_PROJECT} logs {server.name}")


def end(running: Running, data: bool) -> None:
    """Stop a server's container; with `data` remove it and its volume, too."""
    _compose(running.port, *(("rm", "--stop", "--force", "--volumes") if data else ("stop",)), running.name)


def _compose(port: int, *words: str) -> None:
    environment = {**os.environ, "SERVICE_HOST": HOST, "SERVICE_PORT": str(port)}
    run(["docker", "compose", "-p", _PROJECT, "-f", _FILE, *words], environment)


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_ENGINE_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
