"""A rebuild, step by step; what passes between the steps is JSON."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from application.errors import PlatformError
from application.ports.builds import InvalidMomentError
from application.replay.certificate import Certificate
from application.replay.shards import Shard
from entrypoints import onward
from entrypoints.cli.context import platform
from entrypoints.cli.output import as_json_text

log = logging.getLogger(__name__)


class CertificateError(PlatformError):
    """A build differs from the live tables: it is dropped, and they stay as they were."""


def choose(as_of: str | None = None) -> Literal["plan", "rebuild_onward"]:
    """Return what a rebuild begins with: where the live tables are far behind, and nobody follows, it is in one go.

    A build as of some time is always planned.
    """
    with platform() as container:
        return "rebuild_onward" if not as_of and onward.stands_far_behind(container) else "plan"


def rebuild_onward(shards: int, accept_changes: bool = False) -> dict[str, Any]:
    """Rebuild in one go, up to the end of the log, while nobody can follow; return what `certify` and the swap return.

    What holds the follower's role can't be cut into steps on several machines; the processes are on this one.

    Raises:
        CertificateError: as `certify` does.
    """
    with platform() as container:
        built = onward.rebuild(
            container,
            lambda *_: None,
            log.info,
            accept_changes=accept_changes,
            workers=os.cpu_count() or 1,
            shards=shards,
        )
        proved: dict[str, Any] = {"certificate": None}
        if built.certificate is not None:
            proved = _proved(built.certificate, container.settings().artefacts, accept_changes)
        return {**proved, "position": built.position, "swapped": built.swapped}


def plan(shards: int, as_of: str | None = None, into: str | None = None) -> dict[str, Any]:
    """Plan a rebuild, or a build as of a time or position that is kept; return its name and its shards.

    Raises:
        InvalidMomentError: there is no such time or position.
    """
    moment = _moment(as_of)
    with platform() as container:
        container.read_model()  # makes the live tables where there are none: a checkpoint without them says nothing
        planned = container.rebuild_steps().plan(shards, moment, into)
        return msgspec.to_builtins(planned)  # type: ignore[no-any-return]


def load_shard(shard: dict[str, Any]) -> dict[str, Any]:
    """Load a shard; return what came of it. A shard that is done is not loaded again."""
    with platform() as container:
        return asdict(container.rebuild_steps().load(Shard(**shard)))


def finish(build: str) -> dict[str, Any]:
    """Select gold, and catch up with the live tables; return the position."""
    with platform() as container:
        return {"build": build, "position": container.rebuild_steps().finish(build)}


def certify(build: str, accept_changes: bool = False) -> dict[str, Any]:
    """Compare a build with the live tables; return the certificate's number, and the file that holds it whole.

    Raises:
        CertificateError: they differ, and no change is accepted; the message names the certificate and the tables.
    """
    with platform() as container:
        certificate = container.rebuild_steps().certify(build, accept_changes=accept_changes)
        if certificate is None:
            return {"build": build, "certificate": None}
        return {"build": build, **_proved(certificate, container.settings().artefacts, accept_changes)}


def _proved(certificate: Certificate, artefacts: Path, accept_changes: bool) -> dict[str, Any]:
    file = keep(certificate, artefacts)
    differing = [table.table for table in certificate.tables if not table.equal]
    if differing and not accept_changes:
        raise CertificateError(
            f"{CertificateError.__doc__} Certificate {certificate.number} ({file}) names the rows of"
            f" {', '.join(differing)}; `dataflow certificates show {certificate.number}` shows it"
        )
    return {
        "certificate": certificate.number,
        "position": certificate.position,
        "equal": certificate.equal,
        "file": str(file),
    }


def put_in_place(build: str, certificate: int | None) -> dict[str, Any]:
    """Swap in a build that was certified; where that is done already, say so."""
    with platform() as container:
        proof = None if certificate is None else container.certificates().load(certificate)
        built = container.rebuild_steps().put_in_place(build, proof)
        return {"build": build, "position": built.position, "swapped": built.swapped}


def keep(certificate: Certificate, artefacts: Path) -> Path:
    """Write a certificate as JSON below the folder for artefacts; return the file."""
    file = artefacts / "certificates" / f"{certificate.number}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(as_json_text(certificate.report()), encoding="utf-8")
    return file


def _moment(text: str | None) -> datetime | int | None:
    if not text:
        return None
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidMomentError(
            f"as_of is {text!r}; it takes a time with its offset, 2026-01-24T00:00Z, or a position"
        )
    return moment
