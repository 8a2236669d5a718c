"""Structured logs: one JSON object a line, and a line for each message that goes into quarantine."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from application.ingest.messages import InvalidMessageError, decode_envelope
from application.ingest.observer import BatchReport
from application.ports.inbox import Outcome, Receipt

if TYPE_CHECKING:
    # The interpreter has no such name at run time.
    from sys import UnraisableHookArgs

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
        if record.stack_info:
            line["stack"] = record.stack_info
        try:
            return _ENCODER.encode(line).decode()
        except UnicodeEncodeError:
            # Names of files and arguments may hold bytes that are no text.
            return json.dumps(line, default=str, ensure_ascii=False).encode(errors="replace").decode()


def log_what_is_written() -> None:
    """Let warnings, and exceptions that nobody handles, be lines of the log instead of text on standard error."""
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed
    sys.unraisablehook = _not_raised


def line_of(message: str, error: BaseException | None = None) -> str:
    """Return what a command ends with as a line of structured logs, whether or not these are set up yet."""
    end = {"name": "dataflow", "levelname": "ERROR", "msg": message, "exc_info": error and _exc_info(error)}
    return JsonFormatter().format(logging.makeLogRecord(end))


def _exc_info(error: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    return type(error), error, error.__traceback__


def _thread_failed(arguments: threading.ExceptHookArgs) -> None:
    name, error = arguments.thread and arguments.thread.name, arguments.exc_value
    if error is not None:
        log.error("the thread %s failed", name, exc_info=_exc_info(error))


def _not_raised(arguments: UnraisableHookArgs) -> None:
    where, error = arguments.err_msg or "an exception is ignored", arguments.exc_value
    if error is not None:
        log.error("%s: %r", where, arguments.object, exc_info=_exc_info(error))


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
