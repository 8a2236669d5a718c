"""Kafka in KRaft mode: one node that is broker and controller, from the jars that pom.xml names."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from deploy.services import install
from deploy.services.process import free_port, run, spawn
from deploy.services.server import HOST, Server
from deploy.services.wire import exchange

_HERE = Path(__file__).parent
_CLUSTER = "ZGF0YWZsb3ctdGVzdHMtMQ"
_HEAP = ("-Xms256m", "-Xmx768m")
_METADATA, _METADATA_VERSION = 3, 1


def _jars() -> Path:
    pom = _HERE / "pom.xml"
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    return install.cached(f"kafka-{digest}", lambda folder: _download(pom, folder))


def _download(pom: Path, folder: Path) -> None:
    maven = install.program("mvn", "maven")
    goal = "dependency:copy-dependencies"
    run(
        [
            maven,
            "-q",
            "-B",
            "-Dstyle.color=never",
            "-f",
            pom,
            goal,
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder}",
        ]
    )


def _install() -> None:
    install.program("java", "default-jre-headless")
    _jars()


def _start(folder: Path, port: int) -> int:
    return start_broker(folder, port)


def start_broker(folder: Path, port: int, more: str = "", credentials: Sequence[str] = (), **values: object) -> int:
    """Start a broker; `more` settings win over the usual ones, with `values` put in; return its pid."""
    settings = folder / "server.properties"
    template = (_HERE / "server.properties").read_text() + more
    places = {"host": HOST, "port": port, "controller": free_port(), "data": folder / "data"}
    settings.write_text(template.format(**places, **values))
    java: list[str | Path] = [install.program("java", "default-jre-headless"), *_HEAP, "-cp", f"{_jars()}/*"]
    java += [f"-Dlog4j2.configurationFile={_HERE / 'log4j2.yaml'}"]
    if not (folder / "data" / "meta.properties").exists():
        users = [word for credential in credentials for word in ("--add-scram", credential)]
        run([*java, "kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER, "--config", settings, *users])
    return spawn([java[0], _class_data(), *java[1:], "kafka.Kafka", settings], folder / "server.log", dict(os.environ))


def _class_data() -> str:
    """Let the first broker that ends in order keep its parsed classes: later ones start in half the time."""
    archive = _jars() / "classes.jsa"
    return f"-XX:{'SharedArchiveFile' if archive.exists() else 'ArchiveClassesAtExit'}={archive}"


def _answers(port: int) -> bool:
    """Ask for the cluster's metadata without topics; a broker that is ready names itself."""
    request = struct.pack(">hhih", _METADATA, _METADATA_VERSION, 1, -1) + struct.pack(">i", 0)
    answer = exchange(port, struct.pack(">i", len(request)) + request, _whole)
    return len(answer) >= 12 and struct.unpack_from(">i", answer, 8)[0] > 0


def _whole(answer: bytes) -> bool:
    return len(answer) >= 4 and len(answer) >= 4 + struct.unpack_from(">i", answer)[0]


KAFKA = Server("kafka", _install, _start, _answers, url=lambda port: f"{HOST}:{port}")
