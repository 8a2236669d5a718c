"""What is said of a certificate: of rows that differ which they are, and of nothing that it was nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from application.replay.certificate import Certificate, Difference, TableCertificate
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
    print_certificate(_certificate(*tables, streams=streams))
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_a_row_that_differs_is_named_by_its_table_and_key(capsys: pytest.CaptureFixture[str]) -> None:
    key = {"stream_id": "order-1", "line_no": 2}
    differs = Difference(key, key | {"shipped": 4}, key | {"shipped": 5})
    lines = replace(ORDERS, table="silver.order_lines", equal=False, differing=1, differences=(differs,))

    print_certificate(_certificate(lines))

    assert "silver.order_lines/order-1/2 shipped" in capsys.readouterr().out.splitlines()


def _certificate(*tables: TableCertificate, streams: int | None = None) -> Certificate:
    return Certificate(
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
