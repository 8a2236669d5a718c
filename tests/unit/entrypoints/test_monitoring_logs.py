"""Structured logs: what a line holds."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

import pytest

from application.ingest.messages import encode_command
from application.ingest.observer import BatchReport
from application.ports.inbox import Balance, Outcome, Reason, Receipt
from domain.inventory.commands import ShipStock
from entrypoints.monitoring.logs import MOST_LINES, JsonFormatter, log_quarantined

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(record: logging.LogRecord) -> dict[str, object]:
    text = JsonFormatter().format(record)
    assert "\n" not in text
    read = json.loads(text)
    assert isinstance(read, dict)
    return read


def record(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    made = logging.getLogger("a.b").makeRecord("a.b", logging.WARNING, "f", 1, message, arguments, None, extra=more)
    made.created = NOW.timestamp()
    return made


def test_a_line_has_time_level_logger_and_message() -> None:
    assert line(record("%s of\n%d", "two", 3)) == {
        "time": "2026-03-01T12:00:00.000+00:00",
        "level": "warning",
        "logger": "a.b",
        "message": "two of\n3",
    }


def test_what_a_record_was_given_stands_beside_it() -> None:
    found = line(record("gone", retry_seconds=0.5, correlation_id="order-1", cause=ValueError("odd")))
    assert (found["retry_seconds"], found["correlation_id"], found["cause"]) == (0.5, "order-1", "odd")


def test_an_exception_is_part_of_the_line() -> None:
    made = record("failed")
    try:
        raise ValueError("odd")
    except ValueError:
        made.exc_info = sys.exc_info()
    assert "ValueError: odd" in str(line(made)["exception"])


def receipt(number: int, payload: bytes | None = None) -> Receipt:
    command = ShipStock(product_id="p1", location_id="main", occurred_at=NOW, quantity=1)
    sent = encode_command(command, message_id=str(number), source="shop", correlation_id="order-9").payload
    reason = Reason("InsufficientStock", "inventory-p1@main: 0 on hand")
    return Receipt(
        "inventory",
        0,
        number,
        None,
        sent if payload is None else payload,
        f"shop/{number}",
        Outcome.QUARANTINED,
        NOW,
        "inventory-p1@main",
        f"inventory/0@{number}",
        reason,
    )


def batch(*receipts: Receipt) -> BatchReport:
    quarantined = sum(1 for each in receipts if each.outcome is Outcome.QUARANTINED)
    return BatchReport(Balance(len(receipts), len(receipts) - quarantined, 0, quarantined), [], receipts, 0, {}, ())


def test_a_quarantined_message_is_logged_with_what_it_belongs_to(caplog: pytest.LogCaptureFixture) -> None:
    applied = receipt(1)._replace(outcome=Outcome.APPLIED, reason=None)
    log_quarantined(batch(applied, receipt(2)), logging.WARNING)
    (logged,) = caplog.records
    found = line(logged)
    assert found["level"] == "warning"
    assert found["message"] == "message inventory/0@2 is in quarantine: inventory-p1@main: 0 on hand"
    assert found["message_id"] == "shop/2"
    assert found["source"] == "inventory/0@2"
    assert found["code"] == "InsufficientStock"
    assert found["stream_id"] == "inventory-p1@main"
    assert found["correlation_id"] == "order-9"


def test_a_message_that_can_not_be_read_is_logged_without(caplog: pytest.LogCaptureFixture) -> None:
    log_quarantined(batch(receipt(1, payload=b"\xff")), logging.WARNING)
    assert line(caplog.records[0])["correlation_id"] is None


def test_a_flood_is_cut_short_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    log_quarantined(batch(*map(receipt, range(MOST_LINES + 7))), logging.WARNING)
    assert len(caplog.records) == MOST_LINES + 1
    assert caplog.records[-1].getMessage() == "and 7 more messages of this batch in quarantine"


def test_nothing_is_logged_below_the_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    log_quarantined(batch(receipt(1)), logging.INFO)
    assert caplog.records == []
