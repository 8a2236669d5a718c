"""The certificates that rebuilds and verifications left."""

from __future__ import annotations

from typing import Protocol

from application.errors import InvalidRequestError
from application.replay.certificate import Certificate, CertificateEntry


class NoSuchCertificateError(InvalidRequestError):
    """There is no certificate of that number."""


class Certificates(Protocol):
    """Certificates are kept by whoever compares; here they are read."""

    def latest(self, limit: int) -> list[CertificateEntry]:
        """Return up to `limit` certificates, the newest first.

        Raises:
            StoreUnavailableError: the database can't be reached.
        """

    def load(self, number: int | None = None) -> Certificate:
        """Return a certificate whole, the newest where no number is given.

        Raises:
            NoSuchCertificateError: there is none.
            StoreUnavailableError: the database can't be reached.
        """
