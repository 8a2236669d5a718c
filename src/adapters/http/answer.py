"""An answer of a service: read within bounds, and told apart into usable, refused and failed."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx
import msgspec

MAX_BYTES = 4 << 20
READABLE = (200, 400)
"""A 400 is for the service's own reader: it says in JSON what was wrong with the question, or that there is nothing."""
WORTH_RETRYING = (408, 429, 500, 502, 503, 504)


class Answer(NamedTuple):
    """A body in JSON with its status, one of READABLE."""

    status: int
    body: bytes


class FailedError(Exception):
    """No usable answer; whether asking again at once may help, and how many seconds the service wants to be left."""

    def __init__(self, reason: str, *, retry: bool = True, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry = retry
        self.retry_after = retry_after


def ask(client: httpx.Client, request: httpx.Request, seconds: float) -> Answer:
    """Send a request and read the answer, all of it within so many seconds.

    Raises:
        FailedError: no connection, too slow, too large, cut short, no JSON, or a status that says so.
    """
    deadline = time.monotonic() + seconds
    try:
        response = client.send(request, stream=True)
        try:
            body = _read(response, deadline)
        finally:
            response.close()
    except httpx.TimeoutException as error:
        raise FailedError(f"no answer within {seconds:g} s") from error
    except httpx.HTTPError as error:
        raise FailedError(str(error) or type(error).__name__) from error
    _require_usable(response, body)
    return Answer(response.status_code, body)


def _read(response: httpx.Response, deadline: float) -> bytes:
    """Time-outs of the client hold for each read; the deadline ends an answer that comes in drops."""
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise FailedError(f"an answer of more than {MAX_BYTES:,} bytes", retry=False)
        if time.monotonic() > deadline:
            raise FailedError("the answer came too slowly")
    return bytes(body)


def _require_usable(response: httpx.Response, body: bytes) -> None:
    status = response.status_code
    if status not in READABLE:
        said = _said(body)
        raise FailedError(
            f"status {status} {response.reason_phrase}{said and ': '}{said}",
            retry=status in WORTH_RETRYING,
            retry_after=retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC)),
        )
    kind = response.headers.get("Content-Type", "nothing that it names")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise FailedError(f"{kind!r} instead of JSON")


def _said(body: bytes) -> str:
    """Return what a service's error says, where it is JSON with a reason or message; never a page of HTML."""
    with suppress(msgspec.DecodeError):
        error = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        for name in ("reason", "message"):
            if name in error:
                return msgspec.json.decode(error[name], type=str)[:200]
    return ""


def retry_after(header: str, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3: a number or a date), otherwise 0."""
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
