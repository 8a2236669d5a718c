"""What a server for the tests is: how it is installed, started and asked whether it answers."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"


class ServiceError(Exception):
    """A server can't be installed or started; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server, with the functions that run it without Docker.

    `install` puts programs in place and is quick when they are. `start(folder, port)` begins a server whose
    data, settings and log are in `folder`, again with the same data when there is some, and returns its pid.
    `answers(port)` is true when the server really speaks its protocol. `gentle` is the signal that stops it
    without waiting for its clients; `start_seconds` is how long it may take to answer.
    """

    name: str
    install: Callable[[], None]
    start: Callable[[Path, int], int]
    answers: Callable[[int], bool]
    url: Callable[[int], str]
    gentle: signal.Signals = signal.SIGTERM
    start_seconds: float = 60.0
