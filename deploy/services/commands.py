"""Start, stop and list all servers: what `make services`, `services-down` and `services-status` do."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.services import native, registry
from deploy.services.catalogue import SERVERS
from deploy.services.registry import FOLDER, Running
from deploy.services.server import ServiceError


def up(names: Iterable[str], folder: Path = FOLDER) -> Iterator[tuple[str, str, bool]]:
    """Start the servers that don't run yet; yield of each its name, what to say, and whether it answers."""
    with _alone(folder):
        for name in names:
            known = registry.read(folder)
            if name in known and answers(known[name]):
                yield name, f"runs already at {known[name].url}", True
                continue
            try:
                if name in known:
                    native.end(known[name])
                running = native.start(SERVERS[name], folder / name)
            except ServiceError as error:
                yield name, str(error), False
                continue
            registry.write({**known, name: running}, folder)
            yield name, f"answers at {running.url}", True


def down(names: Iterable[str], data: bool = False, folder: Path = FOLDER) -> Iterator[tuple[str, str, bool]]:
    """Stop the servers, and delete their data if asked; yield as `up` does."""
    with _alone(folder):
        for name in names:
            known = registry.read(folder)
            running = known.pop(name, None)
            if running is not None:
                native.end(running)
                registry.write(known, folder)
            if data:
                shutil.rmtree(folder / name, ignore_errors=True)
            yield name, "does not run" if running is None else "stopped", True


def answers(running: Running) -> bool:
    """Whether the server on record lives and speaks its protocol."""
    return native.lives(running) and SERVERS[running.name].answers(running.port)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one start or stop at a time change the record; a second waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
