"""Redis, from Debian's package or wherever the machine has it."""

from __future__ import annotations

from pathlib import Path

from deploy.services import install
from deploy.services.process import spawn
from deploy.services.server import HOST, Server
from deploy.services.wire import exchange


def _program() -> Path:
    return install.program("redis-server", "redis-server")


def _start(folder: Path, port: int) -> int:
    command: list[str | Path] = [
        _program(),
        "--bind",
        HOST,
        "--port",
        str(port),
        "--dir",
        folder,
        "--save",
        "60 1",
        "--appendonly",
        "yes",
    ]
    return spawn(command, folder / "server.log")


def _answers(port: int) -> bool:
    return exchange(port, b"PING\r\n", lambda answer: answer.endswith(b"\r\n")) == b"+PONG\r\n"


def _install() -> None:
    _program()


REDIS = Server("redis", _install, _start, _answers, url=lambda port: f"redis://{HOST}:{port}/0")
