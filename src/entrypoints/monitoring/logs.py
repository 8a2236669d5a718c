"""Structured logs: one JSON object a line, and a line for each message that goes into quarantine."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from application.ingest.messages import InvalidMessageError, decode_envelope
from application.ingest.observer import BatchReport
from application.ports.inbox import Outcome, Receipt

log = logging.getLogger(__name__)

MOST_LINES = 100
"""Lines a batch at most, so that a flood of broken messages is not held up by its logs."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_ENCODER = msgspec.json.Encoder(enc_hook=str)


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger and message, then whatever `extra` the record was given, then the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _ENCODER.encode(line).decode()


def log_quarantined(batch: BatchReport, level: int) -> None:
    """Log the messages of a batch that went into quarantine: which, from where, why, and what they belong to."""
    if not batch.balance.quarantined or not log.isEnabledFor(level):
        return
    for receipt in [r for r in batch.receipts if r.outcome is Outcome.QUARANTINED][:MOST_LINES]:
        _log_one(receipt, level)
    if (more := batch.balance.quarantined - MOST_LINES) > 0:
        log.log(level, "and %d more messages of this batch in quarantine", more, extra={"more": more})


def _log_one(receipt: Receipt, level: int) -> None:
    assert receipt.reason is not None
    code, detail = receipt.reason
    fields = {
        "message_id": receipt.message_id,
        "source": receipt.source,
        "code": code,
        "stream_id": receipt.stream_id,
        "correlation_id": _correlation_id(receipt),
    }
    log.log(level, "message %s is in quarantine: %s", receipt.source, detail, extra=fields)


def _correlation_id(receipt: Receipt) -> str | None:
    """Return what the message says it belongs to, as events would have it; None where it can't be read."""
    try:
        envelope = decode_envelope(receipt.payload)
    except InvalidMessageError:
        return None
    return envelope.correlationid or envelope.message_id
