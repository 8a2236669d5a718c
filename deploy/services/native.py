"""Run a server as a process of this machine: the way without Docker, and for tests that stop and start their own."""

from __future__ import annotations

import signal
from pathlib import Path

from deploy.services.process import await_answer, free_port, started_at, stop
from deploy.services.registry import Running
from deploy.services.server import Server


def start(server: Server, folder: Path) -> Running:
    """Start a server with its data in `folder`, on the port that it had there before if that's free.

    Raises:
        ServiceError: it can't be installed, started, or doesn't answer in time.
    """
    server.install()
    folder.mkdir(parents=True, exist_ok=True)
    remembered = folder / "port"
    port = free_port(int(remembered.read_text()) if remembered.exists() else None)
    pid = server.start(folder, port)
    began = started_at(pid) or 0.0
    remembered.write_text(str(port))
    running = Running(server.name, server.url(port), port, pid, began, str(folder / "server.log"))
    try:
        await_answer(lambda: server.answers(port), lambda: lives(running), folder / "server.log", server.start_seconds)
    except BaseException:
        end(server, running)
        raise
    return running


def end(server: Server, running: Running) -> None:
    """Stop a server and return when it is gone; one that is gone already is left at that."""
    if running.pid is not None and running.began is not None:
        stop(running.pid, running.began, server.gentle)


def kill(running: Running) -> None:
    """End a server as a power cut would, and return when it is gone."""
    if running.pid is not None and running.began is not None:
        stop(running.pid, running.began, signal.SIGKILL)


def lives(running: Running) -> bool:
    """Whether the process on record is still that process."""
    return running.pid is not None and started_at(running.pid) == running.began
