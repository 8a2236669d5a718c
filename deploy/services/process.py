"""Start a server as a process that outlives this one, see that it lives, end it."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import psutil

from deploy.services.server import HOST, ServiceError


class _Identity(TypedDict, total=False):
    user: str
    group: int
    extra_groups: tuple[int, ...]


_POLL_SECONDS = 0.1
_STOP_SECONDS = 20.0


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` if nothing listens there, otherwise a port that the system picks."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceError(f"no port of {HOST} is free")


def spawn(
    command: Sequence[str | Path],
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
) -> int:
    """Start `command` in a session of its own, with its output in `log`; return its pid."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env=environment,
            **_identity(user),
            start_new_session=True,
        )
    # The server is meant to outlive this process, so nobody waits for it.
    process.returncode = 0
    return process.pid


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None, user: str | None = None) -> None:
    """Run `command` to its end.

    Raises:
        ServiceError: it failed; with the line that tells why.
    """
    done = subprocess.run(  # noqa: S603
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        **_identity(user),
        check=False,
        text=True,
    )
    if done.returncode:
        raise ServiceError(f"{Path(command[0]).name} failed ({done.returncode}): {telling_line(done.stdout)}")


def started_at(pid: int) -> float | None:
    """Return when the process with this pid started, in seconds since 1970; None if none is alive."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def await_answer(answers: Callable[[], bool], alive: Callable[[], bool], log: Path, seconds: float) -> None:
    """Return when the server answers; give up once it's not `alive`.

    Raises:
        ServiceError: it ended, or didn't answer in time; with the line of its log that tells why.
    """
    deadline = time.monotonic() + seconds
    while not answers():
        if not alive():
            raise ServiceError(f"ended while starting: {_told(log)} (log: {log})")
        if time.monotonic() > deadline:
            raise ServiceError(f"did not answer within {seconds:.0f} s: {_told(log)} (log: {log})")
        time.sleep(_POLL_SECONDS)


def stop(pid: int, began: float, gentle: signal.Signals) -> None:
    """End the process that has this pid since `began`: kindly, then by force; a later one of that pid is left alone.

    Return when its children are gone, too: what they hold would keep it from starting again.
    """
    if started_at(pid) != began:
        return
    main = psutil.Process(pid)
    family = [main, *main.children(recursive=True)]
    _signal([main] if gentle != signal.SIGKILL else family, gentle)
    if not _gone(family):
        _signal(family, signal.SIGKILL)
        _gone(family)


def _signal(processes: Sequence[psutil.Process], sign: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(sign)


def _gone(family: Sequence[psutil.Process]) -> bool:
    """Wait until none of them is alive, or `_STOP_SECONDS` are over; say whether none is."""
    deadline = time.monotonic() + _STOP_SECONDS
    while any(started_at(process.pid) == process.create_time() for process in family):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    with suppress(ChildProcessError):
        os.waitpid(family[0].pid, os.WNOHANG)
    return True


def _identity(user: str | None) -> _Identity:
    """Return what a child process is told to run as `user` with that user's group alone."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": ()}


def telling_line(text: str) -> str:
    """Return the first line of `text` that is marked as an error, otherwise the last that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if "ERROR" in line or "FATAL" in line), lines[-1])


def _told(log: Path) -> str:
    return telling_line(log.read_text(errors="replace")) if log.exists() else "no log"
