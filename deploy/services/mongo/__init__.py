"""MongoDB's protocol: FerretDB v1 on SQLite, built from its Go module (main.go, go.mod, go.sum)."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

from deploy.services import install
from deploy.services.process import run, spawn
from deploy.services.server import HOST, Server
from deploy.services.wire import exchange

_HERE = Path(__file__).parent
_SOURCES = ("main.go", "go.mod", "go.sum")
_OP_MSG = 2013
_HELLO = b"\x10hello\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00\x00"


def _program() -> Path:
    digest = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _SOURCES)).hexdigest()[:12]
    return install.cached(f"ferretdb-{digest}", _build) / "ferretdb"


def _build(folder: Path) -> None:
    go = install.program("go", "golang-go")
    options = ["-trimpath", "-ldflags=-s -w", "-tags=ferretdb_no_postgresql", "-o", str(folder / "ferretdb")]
    run([go, "build", "-C", _HERE, *options, "."], {**os.environ, "CGO_ENABLED": "0"})


def _install() -> None:
    _program()


def _start(folder: Path, port: int) -> int:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    return spawn([_program(), f"{HOST}:{port}", data], folder / "server.log")


def _answers(port: int) -> bool:
    """Say hello; a server that accepts writes says so."""
    document = struct.pack("<i", len(_HELLO) + 4) + _HELLO
    body = struct.pack("<iB", 0, 0) + document
    request = struct.pack("<4i", 16 + len(body), 1, 0, _OP_MSG) + body
    return b"\x08isWritablePrimary\x00\x01" in exchange(port, request, _whole)


def _whole(answer: bytes) -> bool:
    return len(answer) >= 4 and len(answer) >= struct.unpack_from("<i", answer)[0]


MONGO = Server("mongo", _install, _start, _answers, url=lambda port: f"mongodb://{HOST}:{port}/")
