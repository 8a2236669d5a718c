"""Certificates in PostgreSQL: kept with the transaction that compared, listed and shown later."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
from psycopg import Connection
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import translated
from application.ports.certificates import NoSuchCertificateError
from application.replay.certificate import Certificate, CertificateEntry

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(Certificate, float_hook=Decimal)
_KEEP = (
    "INSERT INTO replay.certificates (purpose, position, equal, code_version, started_at, ended_at, report)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb) RETURNING number"
)
_LIST = (
    "SELECT number, purpose, position, equal, swapped, code_version, started_at, ended_at"
    " FROM replay.certificates ORDER BY number DESC LIMIT %s"
)
_LOAD = (
    "SELECT number, report::text FROM replay.certificates"
    " WHERE number = coalesce(%s::bigint, (SELECT max(number) FROM replay.certificates))"
)


def keep(conn: Connection, certificate: Certificate) -> int:
    """Keep a certificate, with the caller's transaction; return its number."""
    made = certificate
    report = _ENCODER.encode(made).decode()
    values = (made.purpose, made.position, made.equal, made.code_version, made.started_at, made.ended_at, report)
    return int(next(conn.execute(_KEEP, values))[0])


def mark_swapped(conn: Connection, certificate: Certificate) -> None:
    """Say that the build was swapped in, and how far it went on, with the caller's transaction.

    Where it differs, that was accepted.
    """
    conn.execute(
        "UPDATE replay.certificates SET swapped = true,"
        " report = report || jsonb_build_object('built_on_to', %s::bigint) WHERE number = %s",
        [certificate.built_on_to, certificate.number],
    )


class PostgresCertificates:
    """The `Certificates` port."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def latest(self, limit: int) -> list[CertificateEntry]:
        """Return the latest certificates, the newest first."""
        with translated(), self._pool.connection() as connection:
            return [CertificateEntry(*row) for row in connection.execute(_LIST, [limit])]

    def load(self, number: int | None = None) -> Certificate:
        """Return a certificate by its number, the newest where none is given."""
        with translated(), self._pool.connection() as connection:
            row = connection.execute(_LOAD, [number]).fetchone()
        if row is None:
            which = "there are no certificates yet" if number is None else f"there is no certificate {number}"
            raise NoSuchCertificateError(f"{which}; `dataflow certificates list` shows those that are kept")
        return replace(_DECODER.decode(row[1]), number=row[0])
