"""What is said of a certificate is true also where there was nothing to compare."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from application.replay.certificate import Certificate, TableCertificate
from entrypoints.cli.certificates import print_certificate

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = TableCertificate(
    table="silver.orders", rows_live=1, rows_rebuilt=1, digest_live="7", digest_rebuilt="7", equal=True
)


@pytest.mark.parametrize(
    ("tables", "streams", "said"),
    [
        ((), 0, "nothing was there to compare"),
        ((ORDERS,), 1, "every table is equal where these streams touch it; of the others it says nothing"),
        ((ORDERS,), None, "every table is equal"),
    ],
    ids=["none", "a sample", "all"],
)
def test_what_was_compared_is_said(
    tables: tuple[TableCertificate, ...], streams: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_certificate(
        Certificate(
            position=0,
            tables=tables,
            purpose="verify" if streams is None else "sample",
            code_version="1",
            event_versions=(),
            started_at=NOW,
            ended_at=NOW,
            number=1,
            streams=streams,
            seed=None if streams is None else 4,
        )
    )
    assert capsys.readouterr().out.splitlines()[-1] == said
