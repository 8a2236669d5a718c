"""Every night: a sample of the log folded again, and whether every message is accounted for."""

from __future__ import annotations

from typing import Any

from application.errors import PlatformError
from entrypoints.cli.context import platform
from entrypoints.tasks.rebuilding import CertificateError, keep


class BalanceError(PlatformError):
    """Messages were received that are neither applied, nor duplicates, nor in quarantine."""


def verify_sample(streams: int, seed: int) -> dict[str, Any]:
    """Fold random streams again, and compare; the same seed chooses the same ones. Raises CertificateError."""
    with platform() as container:
        certificate = container.read_model().verify_sample(streams, seed)
        file = keep(certificate, container.settings().artefacts)
    differing = [table.table for table in certificate.tables if not table.equal]
    if differing:
        raise CertificateError(
            f"the live tables differ from the log in {', '.join(differing)}: certificate {certificate.number} ({file})"
            f" names the rows; `dataflow certificates show {certificate.number}` shows it"
        )
    return {"certificate": certificate.number, "position": certificate.position, "streams": certificate.streams}


def balance() -> dict[str, Any]:
    """Return what became of all messages, and how many wait in quarantine by their reason; raises BalanceError."""
    with platform() as container:
        found, waiting = container.inbox().balance(), container.inbox().waiting()
    if not found.holds:
        raise BalanceError(f"{BalanceError.__doc__} {found}")
    return {**found._asdict(), "waiting": waiting}
