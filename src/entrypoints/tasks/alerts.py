"""Tell people that a run failed or is late: in the log, and by webhook and e-mail where these are set."""

from __future__ import annotations

import json
import logging
import smtplib
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from entrypoints.settings import Settings, from_environment

log = logging.getLogger(__name__)
SECONDS = 10


def alert(what: str, details: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """Say `what` happened, with details such as dag, task, run and error; return the ways that told somebody.

    A way that does not work is logged, and the others are tried: an alert must not fail what it is about.
    """
    log.error("%s: %s", what, json.dumps(dict(details)))
    settings = from_environment(environment)
    ways: dict[str, Callable[[], None]] = {}
    if settings.alert_webhook is not None:
        ways["webhook"] = lambda: _post(settings.alert_webhook or "", what, details)
    if settings.alert_email is not None and settings.smtp_url is not None:
        ways["e-mail"] = lambda: _mail(settings, what, details)
    return ["log", *(name for name, tell in ways.items() if _told(name, tell))]


def _told(name: str, tell: Callable[[], None]) -> bool:
    try:
        tell()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        log.error("the alert could not be told by %s: %s", name, error)
        return False
    return True


def _post(url: str, what: str, details: Mapping[str, str]) -> None:
    body = json.dumps({"text": _line(what, details), "what": what, **details}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - settings admit http alone
    with urlopen(request, timeout=SECONDS):  # noqa: S310
        return


def _mail(settings: Settings, what: str, details: Mapping[str, str]) -> None:
    """Send a mail over smtp://user:password@host:port, or smtps:// for TLS from the start."""
    server = urlsplit(settings.smtp_url or "")
    mail = EmailMessage()
    mail["Subject"] = f"[dataflow] {what}"
    mail["From"] = mail["To"] = settings.alert_email
    mail.set_content("\n".join(f"{name}: {value}" for name, value in details.items()))
    connect = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    with connect(server.hostname or "", server.port or 0, timeout=SECONDS) as connection:
        if server.username:
            if server.scheme == "smtp":
                connection.starttls()
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(mail)


def _line(what: str, details: Mapping[str, str]) -> str:
    return f"{what}: " + ", ".join(f"{name} {value}" for name, value in details.items())
