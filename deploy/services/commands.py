"""Start, stop and list all servers: what `make services`, `services-down` and `services-status` do."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.services import containers, native, registry
from deploy.services.catalogue import SERVERS
from deploy.services.registry import FOLDER, Running
from deploy.services.server import Server, ServiceError

Outcome = tuple[str, str, bool]
"""A server's name, what to say of it, and whether it is as it was asked to be."""


def up(names: Iterable[str], docker: bool | None = None, folder: Path = FOLDER) -> Iterator[Outcome]:
    """Start the servers that don't answer yet, as containers if `docker` or, by default, where an engine answers."""
    start = None
    with _alone(folder):
        for name in names:
            known = registry.read(folder)
            if name in known and answers(known[name]):
                yield name, f"runs already at {known[name].url}", True
                continue
            start = start or _way(docker)
            try:
                if name in known:
                    _end(known[name], data=False)
                running = start(SERVERS[name], folder / name)
            except ServiceError as error:
                yield name, str(error), False
                continue
            registry.write({**known, name: running}, folder)
            yield name, f"answers at {running.url}", True


def down(names: Iterable[str], data: bool = False, folder: Path = FOLDER) -> Iterator[Outcome]:
    """Stop the servers, and delete their data if asked."""
    with _alone(folder):
        for name in names:
            known = registry.read(folder)
            running = known.pop(name, None)
            try:
                if running is not None:
                    _end(running, data)
            except ServiceError as error:
                yield name, str(error), False
                continue
            registry.write(known, folder)
            if data:
                shutil.rmtree(folder / name, ignore_errors=True)
            yield name, "did not run" if running is None else "stopped", True


def answers(running: Running) -> bool:
    """Whether the server on record lives and speaks its protocol."""
    return (running.pid is None or native.lives(running)) and SERVERS[running.name].answers(running.port)


def _way(docker: bool | None) -> Callable[[Server, Path], Running]:
    if docker is None:
        docker = containers.engine_answers()
    return containers.start if docker else native.start


def _end(running: Running, data: bool) -> None:
    if running.pid is None:
        containers.end(running, data)
    else:
        native.end(SERVERS[running.name], running)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one start or stop at a time change the record; a second waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
